"""The bootstrap of a mean over test images, in full: the law of a resample's mean, not draws of it.

A resample has as many images of every class as there are, drawn with replacement within the class
(Efron & Tibshirani 1993, section 6). An image is right or wrong, or right in some of its labels, so
the sum over a class moves in equal steps; its law is that of one image convolved with itself, and
generating functions multiply. The percentiles are therefore those of infinitely many resamples: no
seed and no error of a simulation. Time grows with images and labels.

The plain bootstrap knows nothing of what it has not seen: with a handful of wrong images its
intervals are too short (``reports/statistics.md``), and with none they vanish. So each class is
drawn from with one image more, of which nothing is known; for proportions that is the half success
and half failure of Jeffreys (Brown, Cai & DasGupta 2001, Stat Sci 16:101). The mean that is shown
is that of the images alone.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from bench.statistics.decisions import Floats, Ints
from bench.statistics.intervals import LEVEL, IntervalEstimate

Unknown = tuple[tuple[float, float], ...]
"""Values that an image of which nothing is known may have, each with its probability."""

DECISION: Unknown = ((0.0, 0.5), (1.0, 0.5))
DIFFERENCE: Unknown = ((-1.0, 0.25), (0.0, 0.5), (1.0, 0.25))  # of two independent decisions


def resampled_law(
    values: Floats, classes: Ints, unknown: Unknown = (), parts: int = 1
) -> tuple[Floats, Floats]:
    """Every mean that a resample may have, ascending, and its probability.

    Args:
        values: ``(N,)``, one value an image, N at least 1; whole when multiplied by ``parts``.
        classes: ``(N,)``, the stratum of each image.
        unknown: one image more that each class is drawn from; its values likewise.
        parts: of several labels their number, as an image's value is the share of them right.

    Raises:
        ValueError: a value is not a number of ``parts``.
    """
    steps = _whole(values, parts)
    other = _whole(np.array([value for value, _ in unknown]), parts)
    every = np.concatenate([steps, other])
    lowest, width, images = int(every.min()), int(np.ptp(every)), len(values)
    points = images * width + 1
    size = fft.next_fast_len(points, real=True)
    together = np.ones(size // 2 + 1, dtype=np.complex128)
    for stratum in np.unique(classes):
        of_class = steps[classes == stratum]
        weights = np.bincount(of_class - lowest, minlength=width + 1).astype(np.float64)
        for step, (_, probability) in zip(other, unknown, strict=True):
            weights[step - lowest] += probability
        together *= fft.rfft(weights / weights.sum(), size) ** len(of_class)
    law = np.maximum(fft.irfft(together, size)[:points], 0.0)
    return (lowest * images + np.arange(points)) / (images * parts), np.asarray(law)


def _whole(values: Floats, parts: int) -> Ints:
    steps = np.rint(values * parts).astype(np.int64)
    if not np.allclose(steps, values * parts, rtol=0, atol=1e-6):
        raise ValueError(f"a value over images is a number of {parts} parts, got {values}")
    return steps


def bootstrap_over_images(
    values: Floats,
    classes: Ints,
    level: float = LEVEL,
    *,
    unknown: Unknown = DECISION,
    parts: int = 1,
) -> IntervalEstimate:
    """Mean of ``values`` with the percentile interval over test images, stratified by class.

    For one training's accuracy give its decisions (0, 1; several labels: the share right, and in
    ``parts`` how many they are); for the difference of two given trainings, the difference of
    theirs, and ``DIFFERENCE``. Another seed would give another training: not covered.

    Raises:
        ValueError: a value is not a number of ``parts``.
    """
    if len(values) == 0:
        return IntervalEstimate(None, None, None, "images", "no images", level)
    means, law = resampled_law(values, classes, unknown, parts)
    ends = np.searchsorted(np.cumsum(law), [(1 - level) / 2, (1 + level) / 2])
    low, high = means[np.minimum(ends, len(means) - 1)]
    return IntervalEstimate(float(np.mean(values)), float(low), float(high), "images", None, level)
