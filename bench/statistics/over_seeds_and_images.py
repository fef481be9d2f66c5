"""The mean over seeds with an interval that holds other seeds *and* other test images.

Every seed is scored on the same images, so seeds and images are crossed, as readers and cases are
in multi-reader studies of diagnosis. The parts of the variance come from the mean squares of that
two-way table (Obuchowski & Rockette 1995, Commun Stat 24:285), and their sum gets the degrees of
freedom that fit it (Satterthwaite 1946, Biometrics Bull 2:110; for readers and cases Hillis 2007,
Stat Med 26:596). With three seeds that alone covers as little as 92 %, where seeds matter most; so
the interval is never narrower than that over seeds alone, which mends it. Adding the squares of the
two half-widths instead (Howe 1974) covers up to 98 % at three seeds: wider than it need be.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bench.statistics.delong import AucParts, around_on_logit
from bench.statistics.intervals import LEVEL, IntervalEstimate

_NORMAL = 1e6  # degrees of freedom beyond which Student's law is the normal one


def mean_over_seeds_and_images(
    values: NDArray[np.float64], level: float = LEVEL, *, share: bool = False
) -> IntervalEstimate:
    """Mean of ``values`` ``(seeds, images)`` with its interval over both.

    For one model give its decisions (0, 1); for two, the difference of theirs by seed and image.
    Images are drawn with any mix of classes.

    Args:
        share: the mean lies within 0 to 1, as that of one model does: the interval is taken on the
            logit scale, as a symmetric one does not hold its level near the ends.
    """
    seeds, images = values.shape
    mean = float(values.mean()) if values.size else None
    if seeds < 2 or images < 2:
        reason = f"{seeds} seed(s) and {images} image(s) show no spread over both"
        return IntervalEstimate(mean, None, None, "seeds and images", reason, level)
    assert mean is not None
    of_seed, of_image = values.mean(axis=1) - mean, values.mean(axis=0) - mean
    rest = values - mean - of_seed[:, None] - of_image[None, :]
    square_seed = images * float(of_seed @ of_seed) / (seeds - 1)
    square_image = seeds * float(of_image @ of_image) / (images - 1)
    square_rest = float((rest**2).sum()) / ((seeds - 1) * (images - 1))
    if square_seed < 1e-24:
        reason = "every seed gives the same score: no spread over seeds to use"
        return IntervalEstimate(mean, None, None, "seeds and images", reason, level)
    of_seeds = square_seed / values.size
    of_images = max(square_image - square_rest, 0.0) / values.size
    half = _half_width(of_seeds, of_images, seeds - 1, level)
    if not share:
        return IntervalEstimate(mean, mean - half, mean + half, "seeds and images", None, level)
    low, high = around_on_logit(mean, half)
    return IntervalEstimate(mean, low, high, "seeds and images", None, level)


def _half_width(of_seeds: float, of_images: float, freedom: int, level: float) -> float:
    """Of the interval, from the two parts of the variance of the mean; the second is known well."""
    both = of_seeds + of_images
    fitting = min(freedom * (both / of_seeds) ** 2, _NORMAL)
    quantiles = special.stdtrit([fitting, freedom], 0.5 + level / 2)
    return float(max(quantiles[0] * math.sqrt(both), quantiles[1] * math.sqrt(of_seeds)))


def auc_over_seeds_and_images(
    first: list[AucParts], second: list[AucParts] | None = None, level: float = LEVEL
) -> IntervalEstimate:
    """Mean AUC over seeds, or the mean difference of two models' with seeds paired.

    Each image counts with ``AUC + N × its DeLong part``, whose mean over images is the AUC and
    whose spread is DeLong's.

    Raises:
        ValueError: different numbers of trainings.
    """
    pairs = (
        [(one, None) for one in first] if second is None else list(zip(first, second, strict=True))
    )
    rows = []
    for one, other in pairs:
        row = _pseudo_values(one)
        if row is not None and other is not None:
            against = _pseudo_values(other)
            row = None if against is None else row - against
        if row is None:
            reason = one.blank or (other.blank if other else None)
            return IntervalEstimate(None, None, None, "seeds and images", reason, level)
        rows.append(row)
    if not rows:
        return IntervalEstimate(None, None, None, "seeds and images", "no trainings", level)
    return mean_over_seeds_and_images(np.stack(rows), level, share=second is None)


def _pseudo_values(found: AucParts) -> NDArray[np.float64] | None:
    if found.value is None or found.parts is None:
        return None
    return np.asarray(found.value + len(found.parts) * found.parts)
