"""The bootstrap of a mean over test images, by counts instead of indices.

Images of one class with the same value are exchangeable, so a resample is a multinomial draw of
how many of each there are: the same law as drawing images with replacement within classes
(Efron & Tibshirani 1993, section 6), at a cost that does not grow with the test split.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.statistics.decisions import Floats, Ints
from bench.statistics.intervals import LEVEL, IntervalEstimate

DRAWS = 10_000


def resampled_means(
    values: Floats, classes: Ints, rng: np.random.Generator, draws: int = DRAWS
) -> Floats:
    """Means of ``draws`` resamples, each with as many images of every class as there are.

    Args:
        values: ``(N,)``, one value an image.
        classes: ``(N,)``, the stratum of each image.
    """
    totals = np.zeros(draws)
    for stratum in np.unique(classes):
        of_class = values[classes == stratum]
        kinds, counts = np.unique(of_class, return_counts=True)
        drawn = rng.multinomial(len(of_class), counts / len(of_class), size=draws)
        totals += drawn @ kinds
    return np.asarray(totals / len(values))


def bootstrap_over_images(
    values: Floats,
    classes: Ints,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> IntervalEstimate:
    """Mean of ``values`` with the percentile interval over test images, stratified by class.

    For one training's accuracy give its decisions (0, 1); for the difference of two given
    trainings, the difference of theirs. Another seed would give another training: not covered.
    """
    if len(values) == 0:
        return IntervalEstimate(None, None, None, "images", "no images", level)
    mean = float(np.mean(values))
    if is_without_spread(values, classes):
        reason = "within each class every image has the same value: resamples do not differ"
        return IntervalEstimate(mean, None, None, "images", reason, level)
    low, high = percentile_interval(resampled_means(values, classes, rng, draws), level)
    return IntervalEstimate(mean, low, high, "images", None, level)


def percentile_interval(resampled: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The middle ``level`` of the resamples."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def is_without_spread(values: Floats, classes: Ints) -> bool:
    """Whether no class has two images of different values."""
    return all(np.ptp(values[classes == stratum]) == 0 for stratum in np.unique(classes))
