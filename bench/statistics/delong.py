"""DeLong's variance of an AUC, as one number an image, so that every covariance is a dot product.

DeLong, DeLong & Clarke-Pearson 1988 (Biometrics 44:837). Image ``i`` of the positives contributes
``(V10 − AUC) / √(m(m−1))``, of the negatives ``(V01 − AUC) / √(n(n−1))``, where V10 is the share of
negatives ranked below it and V01 the share of positives ranked above. The squares sum to DeLong's
variance and the products of two trainings' parts to their covariance. An average over classes has
the average parts: its variance then holds the covariance between classes of the same images too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bench.specs import Task
from bench.statistics.decisions import Floats, Ints, truth
from bench.statistics.intervals import LEVEL, IntervalEstimate


@dataclass(frozen=True)
class AucParts:
    """An AUC and each image's part in its error.

    Attributes:
        value: the AUC, None where it is undefined.
        parts: ``(N,)``, None where the spread within a group of one image is unknown.
        blank: why something is None.
    """

    value: float | None
    parts: Floats | None
    blank: str | None = None


def auc_parts(positive: NDArray[np.bool_], scores: Floats) -> AucParts:
    """AUC of ``scores`` ``(N,)`` for ``positive`` ``(N,)`` against the rest; ties count half."""
    above, below = scores[positive], scores[~positive]
    m, n = len(above), len(below)
    if m == 0 or n == 0:
        return AucParts(None, None, "no image of the class" if m == 0 else "no image outside it")
    beaten = _share_below(above, below)
    beating = 1.0 - _share_below(below, above)
    value = float(beaten.mean())
    if m == 1 or n == 1:
        return AucParts(value, None, "one image alone in its group has no spread")
    parts = np.empty(len(scores))
    parts[positive] = (beaten - value) / math.sqrt(m * (m - 1))
    parts[~positive] = (beating - value) / math.sqrt(n * (n - 1))
    return AucParts(value, parts)


def _share_below(scores: Floats, others: Floats) -> Floats:
    """For each score the share of ``others`` below it, ties by half."""
    ordered = np.sort(others)
    low = np.searchsorted(ordered, scores, side="left")
    high = np.searchsorted(ordered, scores, side="right")
    return np.asarray((low + high) / (2.0 * len(others)))


def macro_auc_parts(
    probs: Floats, labels: Ints, task: Task, *, present_only: bool = False
) -> AucParts:
    """MedMNIST's AUC: each class against the rest, averaged without weights.

    A two-class task has one, that of its second class.

    Args:
        probs: ``(N, C)``.
        labels: ``(N,)`` indices, or ``(N, C)`` zeros and ones.
        present_only: average the classes that have an AUC; otherwise one without leaves none.
    """
    positive = truth(labels, probs.shape[1])
    chosen = [probs.shape[1] - 1] if task == "binary-class" else range(probs.shape[1])
    found = [(index, auc_parts(positive[:, index], probs[:, index])) for index in chosen]
    whole = [(index, one) for index, one in found if one.value is not None]
    missing = [f"class {index}: {one.blank}" for index, one in found if one.value is None]
    if not whole or (missing and not present_only):
        return AucParts(None, None, "; ".join(missing))
    value = float(np.mean([one.value for _, one in whole]))
    unknown = [f"class {index}: {one.blank}" for index, one in whole if one.parts is None]
    if unknown:
        return AucParts(value, None, "; ".join(unknown))
    return AucParts(
        value, np.mean([one.parts for _, one in whole if one.parts is not None], axis=0)
    )


def auc_over_images(found: AucParts, level: float = LEVEL) -> IntervalEstimate:
    """DeLong's interval of one given training's AUC, over test images.

    Taken on the logit scale, as it stays within 0 to 1 and holds its level near 1 (Pepe 2003,
    section 5.2).
    """
    if found.value is None or found.parts is None:
        return IntervalEstimate(found.value, None, None, "images", found.blank, level)
    error = math.sqrt(float(found.parts @ found.parts))
    value = found.value
    if error == 0 or not 0 < value < 1:
        reason = "the images rank all alike (perfectly, or with constant scores): no spread to use"
        return IntervalEstimate(value, None, None, "images", reason, level)
    low, high = around_on_logit(value, _z(level) * error)
    return IntervalEstimate(value, low, high, "images", None, level)


def around_on_logit(value: float, half: float) -> tuple[float, float]:
    """Bounds about a share within 0 to 1 that are symmetric on the logit scale.

    Args:
        half: half the width that the interval would have on the scale of ``value``.
    """
    centre, half = math.log(value / (1 - value)), half / (value * (1 - value))
    low, high = (
        1 / (1 + math.exp(-min(max(x, -700), 700))) for x in (centre - half, centre + half)
    )
    return low, high


def _z(level: float) -> float:
    return float(special.ndtri(0.5 + level / 2))
