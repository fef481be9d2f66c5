"""The mean over seeds with an interval that holds other seeds *and* other test images.

Every seed is scored on the same images, so seeds and images are crossed, as readers and cases are
in multi-reader studies of diagnosis. The parts of the variance come from the mean squares of that
two-way table (Obuchowski & Rockette 1995, Commun Stat 24:285). Each part keeps its own quantile,
Student's for the few seeds and the normal one for the many images, and the halves add up as
squares (Howe 1974, JASA 69:789). So the interval is never narrower than that over seeds alone.
Hillis's single t with pooled degrees of freedom covers less than 93 % at three seeds.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bench.statistics.delong import AucParts
from bench.statistics.intervals import LEVEL, IntervalEstimate


def mean_over_seeds_and_images(
    values: NDArray[np.float64], level: float = LEVEL
) -> IntervalEstimate:
    """Mean of ``values`` ``(seeds, images)`` with its interval over both.

    For one model give its decisions (0, 1); for two, the difference of theirs by seed and image.
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
    of_seeds = float(special.stdtrit(seeds - 1, 0.5 + level / 2)) ** 2 * square_seed
    of_images = float(special.ndtri(0.5 + level / 2)) ** 2 * max(square_image - square_rest, 0.0)
    half = math.sqrt((of_seeds + of_images) / values.size)
    return IntervalEstimate(mean, mean - half, mean + half, "seeds and images", None, level)


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
    return mean_over_seeds_and_images(np.stack(rows), level)


def _pseudo_values(found: AucParts) -> NDArray[np.float64] | None:
    if found.value is None or found.parts is None:
        return None
    return np.asarray(found.value + len(found.parts) * found.parts)
