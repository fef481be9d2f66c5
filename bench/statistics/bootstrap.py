"""The bootstrap of a mean over test images, by counts instead of indices.

Images of one class with the same value are exchangeable, so a resample is a multinomial draw of
how many of each there are: the same law as drawing images with replacement within classes
(Efron & Tibshirani 1993, section 6), at a cost that does not grow with the test split.

The plain bootstrap knows nothing of what it has not seen: with a handful of wrong images its
intervals are too short (``reports/statistics.md``), and with none they vanish. So each class is
drawn from with one image more, of which nothing is known; for proportions that is the half success
and half failure of Jeffreys (Brown, Cai & DasGupta 2001, Stat Sci 16:101). The mean that is shown
is that of the images alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.statistics.decisions import Floats, Ints
from bench.statistics.intervals import LEVEL, IntervalEstimate

DRAWS = 10_000

Unknown = tuple[tuple[float, float], ...]
"""Values that an image of which nothing is known may have, each with its probability."""

DECISION: Unknown = ((0.0, 0.5), (1.0, 0.5))
DIFFERENCE: Unknown = ((-1.0, 0.25), (0.0, 0.5), (1.0, 0.25))  # of two independent decisions


def resampled_means(
    values: Floats,
    classes: Ints,
    rng: np.random.Generator,
    draws: int = DRAWS,
    unknown: Unknown = (),
) -> Floats:
    """Means of ``draws`` resamples, each with as many images of every class as there are.

    Args:
        values: ``(N,)``, one value an image.
        classes: ``(N,)``, the stratum of each image.
        unknown: one image more that each class is drawn from.
    """
    may_be, probable = (np.array([pair[i] for pair in unknown]) for i in (0, 1))
    totals = np.zeros(draws)
    for stratum in np.unique(classes):
        of_class = values[classes == stratum]
        seen, counts = np.unique(of_class, return_counts=True)
        kinds, weights = np.concatenate([seen, may_be]), np.concatenate([counts, probable])
        drawn = rng.multinomial(len(of_class), weights / weights.sum(), size=draws)
        totals += drawn @ kinds
    return np.asarray(totals / len(values))


def bootstrap_over_images(
    values: Floats,
    classes: Ints,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
    *,
    unknown: Unknown = DECISION,
) -> IntervalEstimate:
    """Mean of ``values`` with the percentile interval over test images, stratified by class.

    For one training's accuracy give its decisions (0, 1); for the difference of two given
    trainings, the difference of theirs, and ``DIFFERENCE``. Another seed would give another
    training: not covered.
    """
    if len(values) == 0:
        return IntervalEstimate(None, None, None, "images", "no images", level)
    mean = float(np.mean(values))
    low, high = percentile_interval(resampled_means(values, classes, rng, draws, unknown), level)
    return IntervalEstimate(mean, low, high, "images", None, level)


def percentile_interval(resampled: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The middle ``level`` of the resamples."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
