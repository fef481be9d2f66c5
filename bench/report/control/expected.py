"""The positive control: every expectation beside what the records show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.report.accuracy import Row
from bench.report.control.file import Expectation, ExpectedFile, Same
from bench.report.control.trainings import Trainings, lacking
from bench.report.intervals import interval_points
from bench.report.text import BLANK, percent
from bench.statistics.verdict import Verdict, over_family, verdict_over_seeds
from bench.suite_file import NO_CONTROL

NOT_MEASURED = "not measured"
ALIKE = "neither better nor worse"


@dataclass(frozen=True)
class Judged:
    """One expectation of one model.

    Attributes:
        what: the control, or the two sets of seeds.
        first, second: accuracies by seed: under the control and without, or of the two sets.
        verdict: of first against second; None where a training is lacking, and ``lacks`` says so.
    """

    dataset: str
    model: str
    what: str
    expected: str
    first: dict[int, float]
    second: dict[int, float]
    verdict: Verdict | None
    lacks: str | None = None

    @property
    def label(self) -> str:
        return f"{self.dataset}, {self.model}, {self.what}"

    @property
    def found(self) -> str:
        """The verdict's word."""
        return NOT_MEASURED if self.verdict is None else self.verdict.word

    @property
    def held(self) -> bool:
        """What was not measured, or not tested while it differs, has not held."""
        if self.verdict is None:
            return False
        if self.verdict.p is None:  # every seed differs alike, or there is one alone
            gap = self.verdict.difference.value
            alike = gap is not None and abs(gap) <= self.verdict.region
            return self.expected != "worse" and len(self.first) > 1 and alike
        allowed = {
            "worse": {"worse"},
            "not worse": {"better", "equivalent", "undecided"},
            ALIKE: {"equivalent", "undecided"},
        }
        return self.verdict.word in allowed[self.expected]


def judge_expectations(file: ExpectedFile, trainings: Trainings) -> list[Judged]:
    """Every expectation of every model, and every pair of sets; Holm over all of them."""
    suite = trainings.collected.suite
    judged = [
        _under_control(one, model.name, trainings) for one in file.expect for model in suite.models
    ]
    judged += [
        _other_seeds(one, model.name, trainings) for one in file.same for model in suite.models
    ]
    measured = [one.verdict for one in judged if one.verdict is not None]
    corrected = iter(over_family(measured, advise=False))
    return [one if one.verdict is None else replace(one, verdict=next(corrected)) for one in judged]


def _under_control(one: Expectation, model: str, trainings: Trainings) -> Judged:
    label = trainings.collected.suite.settings.control[one.control].label
    seeds = trainings.wanted(model, one.dataset, label)
    under = trainings.scores(model, one.dataset, label, "acc")
    without = trainings.scores(model, one.dataset, NO_CONTROL, "acc")
    return _judged(
        one.dataset, model, label, one.shows, _of(seeds, under), _of(seeds, without), seeds
    )


def _other_seeds(one: Same, model: str, trainings: Trainings) -> Judged:
    scores = trainings.scores(model, one.dataset, NO_CONTROL, "acc")
    what = f"seeds {_listed(one.first)} against {_listed(one.second)}"
    judged = _judged(
        one.dataset, model, what, ALIKE, _of(one.first, scores), _of(one.second, scores), []
    )
    lacks = lacking([*one.first, *one.second], scores)
    return replace(judged, verdict=None, lacks=_lacks(lacks)) if lacks else judged


def _judged(
    dataset: str,
    model: str,
    what: str,
    expected: str,
    first: dict[int, float],
    second: dict[int, float],
    paired: Sequence[int],
) -> Judged:
    lacks = lacking(paired, first, second)
    if lacks or not first or not second:
        told = _lacks(lacks) if lacks else "no training is there"
        return Judged(dataset, model, what, expected, first, second, None, told)
    verdict = verdict_over_seeds(first, second, advise=False)
    return Judged(dataset, model, what, expected, first, second, verdict)


def _of(seeds: Sequence[int], scores: Mapping[int, float]) -> dict[int, float]:
    return {seed: scores[seed] for seed in seeds if seed in scores}


def _lacks(seeds: Sequence[int]) -> str:
    return f"lacking: seed {', '.join(map(str, seeds))}"


def _listed(seeds: Sequence[int]) -> str:
    """``0–4`` for five in a row, else each of them."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]}–{seeds[-1]}"
    return ", ".join(map(str, seeds))


def judged_rows(judged: Sequence[Judged], first: str, second: str) -> list[Row]:
    """As the page shows them.

    Args:
        first, second: the columns of the two sets of accuracies.
    """
    return [
        {
            "data set": one.dataset,
            "model": one.model,
            "what": one.what,
            first: percent(list(one.first.values())),
            second: percent(list(one.second.values())),
            "difference [95 %]": interval_points(one.verdict.difference if one.verdict else None),
            "p (Holm)": p_value(one.verdict.p if one.verdict else None),
            "expected": one.expected,
            "found": one.found if one.lacks is None else f"{one.found} ({one.lacks})",
            "held": "yes" if one.held else "**no**",
        }
        for one in judged
    ]


def p_value(p: float | None) -> str:
    """Two digits, or that it is below what is worth printing."""
    if p is None:
        return BLANK
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"
