"""What two models' finished runs under one suite say, data set by data set."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bench.report.verdicts.comparisons import METRICS, BySeed, Metric, over_seeds_and_images
from bench.report.verdicts.runs import RunFindings
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.over_seeds import difference_over_seeds
from bench.statistics.two_trainings import (
    TrainingsTest,
    auc_difference_over_images,
    mcnemar_two_trainings,
)
from bench.statistics.verdict import Verdict


@dataclass(frozen=True)
class Beside:
    """One quantity of both models on one data set.

    Attributes:
        what: for people, with its unit left out: all are shares but ``temperature``.
        first, second: by seed; seeds without a value are left out.
        difference: first − second with its t interval over seeds, not corrected for anything.
    """

    dataset: str
    what: str
    first: dict[int, float]
    second: dict[int, float]
    difference: IntervalEstimate


@dataclass(frozen=True)
class Scored:
    """One metric on one data set, first − second.

    Attributes:
        verdict: over seeds, after Holm over the family.
        over_both: the same difference with its interval over seeds *and* images.
    """

    dataset: str
    metric: Metric
    first: dict[int, float]
    second: dict[int, float]
    verdict: Verdict
    over_both: IntervalEstimate


@dataclass(frozen=True)
class SameSeed:
    """Two given trainings of one seed on the same test images.

    Attributes:
        mcnemar: of their accuracies; None where they were not scored on the same images.
        auc: DeLong's difference with its interval, and its test.
    """

    dataset: str
    seed: int
    mcnemar: TrainingsTest
    auc: IntervalEstimate
    delong: TrainingsTest


def scored(
    dataset: str, first: BySeed, second: BySeed, verdicts: Mapping[Metric, Mapping[str, Verdict]]
) -> list[Scored]:
    """ACC and AUC of both models."""
    return [
        Scored(
            dataset,
            metric,
            _values(first, lambda run, m=metric: run.score(m)),  # type: ignore[misc]
            _values(second, lambda run, m=metric: run.score(m)),  # type: ignore[misc]
            verdicts[metric][dataset],
            over_seeds_and_images(first, second, metric),
        )
        for metric in METRICS
    ]


def same_seeds(dataset: str, first: BySeed, second: BySeed) -> list[SameSeed]:
    """Each seed that both have, where both were scored on the same images."""
    found = []
    for seed in sorted(first.keys() & second.keys()):
        one, other = first[seed], second[seed]
        if np.array_equal(one.labels, other.labels):
            interval, delong = auc_difference_over_images(one.auc_parts, other.auc_parts)
            mcnemar = mcnemar_two_trainings(one.right, other.right)
            found.append(SameSeed(dataset, seed, mcnemar, interval, delong))
    return found


def calibrated(dataset: str, first: BySeed, second: BySeed) -> Iterator[Beside]:
    """Calibration, and of two classes sensitivity and specificity at validation's threshold."""
    for what, value in _CALIBRATION.items():
        a, b = _values(first, value), _values(second, value)
        if a or b:
            yield beside(dataset, what, a, b)


def beside(dataset: str, what: str, first: dict[int, float], second: dict[int, float]) -> Beside:
    """The two with their difference."""
    return Beside(dataset, what, first, second, difference_over_seeds(first, second).estimate)


def mean(values: Mapping[int, float]) -> float | None:
    """Over seeds; None for none."""
    return statistics.fmean(values.values()) if values else None


def _values(runs: BySeed, value: Callable[[RunFindings], float | None]) -> dict[int, float]:
    found = {seed: value(run) for seed, run in sorted(runs.items())}
    return {seed: number for seed, number in found.items() if number is not None}


_CALIBRATION: dict[str, Callable[[RunFindings], float | None]] = {
    "ECE": lambda run: run.calibration.before,
    "ECE at temperature": lambda run: run.calibration.after,
    "sensitivity": lambda run: run.two_classes.sensitivity.value if run.two_classes else None,
    "specificity": lambda run: run.two_classes.specificity.value if run.two_classes else None,
}
