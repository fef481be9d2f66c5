"""The profile of cues: what remains of a score when the texture or the layout is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.report.accuracy import Row
from bench.report.collect import training_of
from bench.report.control.expected import p_value
from bench.report.control.trainings import SCORES, Score, Trainings
from bench.report.intervals import interval_points
from bench.report.text import BLANK, percent
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.ratio import ratio_over_seeds
from bench.statistics.verdict import Verdict, over_family, verdict_over_seeds
from bench.suite_file import NO_CONTROL

GUESSED_AUC = 0.5


@dataclass(frozen=True)
class Cue:
    """One model on one data set, one score, one control, against itself without.

    Attributes:
        floor: the score of what looks at no image: the majority class's rate, an AUC of a half.
        share: of the score above the floor, how much remains.
    """

    dataset: str
    model: str
    control: str
    score: Score
    floor: float
    without: dict[int, float]
    under: dict[int, float]
    share: IntervalEstimate
    verdict: Verdict


def majority_rate(trainings: Trainings, dataset: str) -> float | None:
    """The accuracy on test of always naming the class that is most frequent there."""
    for model in trainings.collected.suite.models:
        for record in trainings.records(model.name, dataset, NO_CONTROL).values():
            test = training_of(record).test
            if training_of(record).data.task.startswith("multi-label"):
                return None
            return max(entry.support for entry in test.per_class) / test.images
    return None


def profile(trainings: Trainings) -> list[Cue]:
    """Every model, data set, score and control that has trainings; Holm over each score's."""
    found: list[Cue] = []
    for score in SCORES:
        own = _of_score(trainings, score)
        verdicts = over_family([cue.verdict for cue in own], advise=False)
        found += [replace(cue, verdict=v) for cue, v in zip(own, verdicts, strict=True)]
    return found


def _of_score(trainings: Trainings, score: Score) -> list[Cue]:
    suite, found = trainings.collected.suite, []
    for dataset in suite.datasets:
        floor = majority_rate(trainings, dataset.name) if score == "acc" else GUESSED_AUC
        if floor is None:
            continue
        for model in suite.models:
            without = trainings.scores(model.name, dataset.name, NO_CONTROL, score)
            for control in suite.settings.control.values():
                under = trainings.scores(model.name, dataset.name, control.label, score)
                if not without.keys() & under.keys():
                    continue
                share = ratio_over_seeds(_above(floor, under), _above(floor, without))
                verdict = verdict_over_seeds(under, without, advise=False)
                cue = (dataset.name, model.name, control.label, score, floor, without, under)
                found.append(Cue(*cue, share, verdict))
    return found


def _above(floor: float, scores: dict[int, float]) -> dict[int, float]:
    return {seed: value - floor for seed, value in scores.items()}


def cue_rows(cues: Sequence[Cue]) -> list[Row]:
    """As the page shows them."""
    return [
        {
            "data set": cue.dataset,
            "model": cue.model,
            "score": cue.score.upper(),
            "seeing nothing": f"{100 * cue.floor:.1f}",
            "without": percent(list(cue.without.values())),
            "control": cue.control,
            "under it": percent(list(cue.under.values())),
            "remains (%) [95 %]": _share(cue.share),
            "difference [95 %]": interval_points(cue.verdict.difference),
            "p (Holm)": p_value(cue.verdict.p),
            "verdict": cue.verdict.word,
        }
        for cue in cues
    ]


def _share(share: IntervalEstimate) -> str:
    if share.value is None:
        return BLANK
    if share.low is None or share.high is None:
        return f"{BLANK} ({share.blank})"
    return f"{100 * share.value:.0f} [{100 * share.low:.0f}, {100 * share.high:.0f}]"
