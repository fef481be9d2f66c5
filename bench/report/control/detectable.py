"""How small a difference of two models the seeds at hand could show, from their own spread."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from bench.report.accuracy import Row
from bench.report.collect import training_of
from bench.report.control.trainings import SCORES, Score, Trainings
from bench.report.text import BLANK
from bench.statistics.intervals import wilson_over_images
from bench.statistics.over_seeds import difference_over_seeds
from bench.statistics.power import ALPHA, MOST_SEEDS, pairs_to_decide, smallest_detectable
from bench.statistics.verdict import REGION
from bench.suite_file import NO_CONTROL


@dataclass(frozen=True)
class Pair:
    """Two models on a data set: over how many seeds, with what spread of their differences."""

    dataset: str
    seeds: int
    spread: float

    def detectable(self, family: int = 1) -> float:
        """The smallest true difference found with a power of 80 %.

        Args:
            family: how many tests share α (Bonferroni, which is Holm's first step).
        """
        return smallest_detectable(self.spread, self.seeds, ALPHA / family)

    @property
    def half_width(self) -> float:
        """Of the 90 % interval that must fit into the region to show equivalence."""
        t = float(stats.t.ppf(1 - ALPHA, self.seeds - 1))
        return t * self.spread / math.sqrt(self.seeds)


def pairs_of(trainings: Trainings, score: Score) -> tuple[list[Pair], list[str]]:
    """Every two models on every data set that share two seeds or more, without control.

    The second list says why a pair is left out, once a pair.
    """
    found: list[Pair] = []
    blanks: list[str] = []
    suite = trainings.collected.suite
    for dataset in suite.datasets:
        own = {
            model.name: trainings.scores(model.name, dataset.name, NO_CONTROL, score)
            for model in suite.models
        }
        for first, second in itertools.combinations([s for s in own.values() if s], 2):
            if not first.keys() & second.keys():
                blanks.append("the two models share no seed")
                continue
            gap = difference_over_seeds(first, second)
            if gap.error is None:
                blanks.append(gap.estimate.blank or "no spread is known")
                continue
            spread = statistics.stdev(gap.differences)
            found.append(Pair(dataset.name, len(gap.seeds), spread))
    return found, blanks


def detectable_rows(trainings: Trainings) -> list[Row]:
    """One row a data set and score; the family is every pair of the suite."""
    suite, rows = trainings.collected.suite, []
    for score in SCORES:
        pairs, _ = pairs_of(trainings, score)
        for dataset in suite.datasets:
            here = [pair for pair in pairs if pair.dataset == dataset.name]
            row = {"suite": suite.name, "data set": dataset.name, "score": score.upper()}
            if here:
                rows.append(
                    row | _cells(here, len(pairs)) | _images(trainings, dataset.name, score)
                )
    return rows


def blank_lines(trainings: Trainings) -> list[str]:
    """Why there is no row, or not every pair is in one."""
    lines = []
    name = trainings.collected.suite.name
    for score in SCORES:
        pairs, blanks = pairs_of(trainings, score)
        if not pairs and not blanks:
            lines.append(f"{name}, {score.upper()}: no two models have trainings here.")
        lines += [
            f"{name}, {score.upper()}: {blanks.count(why)} pair(s) left out: {why}."
            for why in dict.fromkeys(blanks)
        ]
    return lines


def _cells(pairs: Sequence[Pair], family: int) -> Row:
    seeds = sorted({pair.seeds for pair in pairs})
    median = statistics.median(pair.spread for pair in pairs)
    fitting = sum(pair.half_width < REGION for pair in pairs)
    return {
        "seeds": "–".join(map(str, dict.fromkeys((seeds[0], seeds[-1])))),
        "pairs": str(len(pairs)),
        "spread of differences": _ranged([pair.spread for pair in pairs]),
        "detectable, one test": _ranged([pair.detectable() for pair in pairs]),
        "detectable, Holm": f"{_ranged([p.detectable(family) for p in pairs])} of {family}",
        "half-width, 90 %": _ranged([pair.half_width for pair in pairs]),
        "fits the region": f"{fitting} of {len(pairs)}",
        "seeds to show equal models equivalent": _seeds_wanted(median),
    }


def _seeds_wanted(spread: float) -> str:
    wanted = pairs_to_decide(0.0, spread, REGION)
    return f"> {MOST_SEEDS}" if wanted is None else str(wanted)


def _ranged(values: Sequence[float]) -> str:
    """``1.3 (0.4–2.9)``: median and range, in points; no score can differ by more than 100."""
    middle, low, high = (
        "> 100" if value > 1 else f"{100 * value:.1f}"
        for value in (statistics.median(values), min(values), max(values))
    )
    return f"{middle} ({low}–{high})"


def _images(trainings: Trainings, dataset: str, score: Score) -> Row:
    """How many test images there are, and what their choice alone leaves open."""
    records = [
        record
        for model in trainings.collected.suite.models
        for record in trainings.records(model.name, dataset, NO_CONTROL).values()
    ]
    tests = [training_of(record).test for record in records]
    images = tests[0].images
    accuracy = statistics.median(test.acc for test in tests)
    wilson = wilson_over_images(round(accuracy * images), images)
    alone = f"{50 * (wilson.high - wilson.low):.1f}" if score == "acc" else BLANK
    return {
        "test images": str(images),
        "one image": f"{100 / images:.2f}" if score == "acc" else BLANK,
        "± by images alone": alone,
    }
