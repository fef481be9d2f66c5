"""Tests of two *given trainings* on the same test images.

They ask whether these two sets of weights differ on other images of the kind. They say nothing
about two architectures: another seed of the same one often differs as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from bench.statistics.bootstrap import DIFFERENCE, bootstrap_over_images
from bench.statistics.decisions import Floats, Ints
from bench.statistics.delong import AucParts
from bench.statistics.intervals import LEVEL, IntervalEstimate


@dataclass(frozen=True)
class TrainingsTest:
    """Difference first − second of two given trainings.

    Attributes:
        p: two-sided, None where the test is undefined.
        smallest_p: the least that this test could have given on as many images that tell the two
            apart; None where it has no such bound.
    """

    difference: float | None
    p: float | None
    smallest_p: float | None
    first_only: int | None = None  # images that only the first decided rightly
    second_only: int | None = None
    blank: str | None = None


def mcnemar_two_trainings(first: Floats, second: Floats) -> TrainingsTest:
    """McNemar's exact test of two accuracies (McNemar 1947; exact: binomial of the disagreements).

    Args:
        first, second: ``(N,)``, whether each image was decided rightly, 0 or 1, in the same order.
    """
    if len(first) == 0:
        return TrainingsTest(None, None, None, blank="no images")
    difference = float(first.mean() - second.mean())
    if not np.isin(np.concatenate([first, second]), (0.0, 1.0)).all():
        reason = "an image with several labels is not simply right or wrong"
        return TrainingsTest(difference, None, None, blank=reason)
    b, c = int(((first == 1) & (second == 0)).sum()), int(((first == 0) & (second == 1)).sum())
    if b + c == 0:
        return TrainingsTest(0.0, 1.0, 1.0, 0, 0, "no image tells the two apart")
    p = float(stats.binomtest(b, b + c).pvalue)
    return TrainingsTest(difference, p, min(1.0, 2.0 ** (1 - b - c)), b, c)


def accuracy_difference_over_images(
    first: Floats, second: Floats, classes: Ints, level: float = LEVEL
) -> IntervalEstimate:
    """Paired bootstrap, stratified by class, of two given trainings' difference in accuracy.

    Args:
        first, second: ``(N,)``, whether each image was decided rightly, 0 or 1, in the same order.
    """
    return bootstrap_over_images(first - second, classes, level, unknown=DIFFERENCE)


def auc_difference_over_images(
    first: AucParts, second: AucParts, level: float = LEVEL
) -> tuple[IntervalEstimate, TrainingsTest]:
    """DeLong's interval and test of the difference of two given trainings' AUCs on the same images.

    Raises:
        ValueError: they are of different numbers of images.
    """
    if first.value is None or second.value is None or first.parts is None or second.parts is None:
        known = first.value is not None and second.value is not None
        difference = (first.value or 0.0) - (second.value or 0.0) if known else None
        reason = first.blank or second.blank
        return (
            IntervalEstimate(difference, None, None, "images", reason, level),
            TrainingsTest(difference, None, None, blank=reason),
        )
    if len(first.parts) != len(second.parts):
        raise ValueError(f"{len(first.parts)} and {len(second.parts)} images are no pairs")
    difference = first.value - second.value
    gap = first.parts - second.parts
    error = math.sqrt(float(gap @ gap))
    if error < 1e-12:  # rounding apart, the two rank every pair alike
        reason = "no image counts differently in the two AUCs: no spread to use"
        return (
            IntervalEstimate(difference, None, None, "images", reason, level),
            TrainingsTest(difference, None, None, blank=reason),
        )
    half = float(special.ndtri(0.5 + level / 2)) * error
    p = float(2 * special.ndtr(-abs(difference) / error))
    interval = IntervalEstimate(
        difference, max(-1.0, difference - half), min(1.0, difference + half), "images", None, level
    )
    return interval, TrainingsTest(difference, p, None)
