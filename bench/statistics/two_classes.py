"""Sensitivity and specificity of a two-class task, at a threshold that validation chose.

The threshold is that of Youden's J = sensitivity + specificity − 1 (Youden 1950, Cancer 3:32): an
image is called positive when its score is *above* it. Candidates are the middles of the gaps
between neighbouring validation scores, and 0.5 itself in the gap that holds it; of those with the
same J the nearest to 0.5 is taken, of two as near the lower. Test images choose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.statistics.decisions import THRESHOLD, Floats, Ints
from bench.statistics.intervals import IntervalEstimate, wilson_over_images

_SAME = 1e-12  # two J that differ by rounding alone


@dataclass(frozen=True)
class Chosen:
    """A threshold with its Youden's J on validation; None with the reason where there is none."""

    threshold: float | None
    youden: float | None
    blank: str | None = None


@dataclass(frozen=True)
class TwoClasses:
    """Test split at the threshold of validation; Wilson's intervals over its images."""

    chosen: Chosen
    sensitivity: IntervalEstimate
    specificity: IntervalEstimate


def two_classes(
    val_scores: Floats, val_labels: Ints, test_scores: Floats, test_labels: Ints
) -> TwoClasses:
    """Choose on validation, judge on test.

    Args:
        val_scores, test_scores: ``(N,)`` probabilities of the second class.
        val_labels, test_labels: ``(N,)``, 1 for the second class.
    """
    chosen = threshold_of(val_scores, val_labels)
    if chosen.threshold is None:
        blank = IntervalEstimate(None, None, None, "images", chosen.blank)
        return TwoClasses(chosen, blank, blank)
    above, positive = test_scores > chosen.threshold, test_labels == 1
    return TwoClasses(
        chosen,
        _share(above[positive], "no positive image on test"),
        _share(~above[~positive], "no negative image on test"),
    )


def threshold_of(scores: Floats, labels: Ints) -> Chosen:
    """The threshold of the greatest Youden's J on these images."""
    positive = labels == 1
    if not positive.any() or positive.all():
        lacking = "negative" if positive.any() else "positive"
        return Chosen(None, None, f"no {lacking} image on validation")
    values = np.unique(scores)
    if len(values) == 1:
        return Chosen(None, None, "every validation image has the same score")
    low, high = values[:-1], values[1:]
    holds = (low <= THRESHOLD) & (high > THRESHOLD)
    middles = np.where(holds, THRESHOLD, low + (high - low) / 2)
    beyond = [np.sort(scores[group]) for group in (positive, ~positive)]
    # an image is above every threshold of the gaps below its score
    missed, cleared = (np.searchsorted(group, low, side="right") / len(group) for group in beyond)
    youden = (1.0 - missed) + cleared - 1.0
    best = float(youden.max())
    if best <= _SAME:
        return Chosen(None, None, "no threshold does better than chance on validation")
    candidates = middles[youden >= best - _SAME]
    nearest = candidates[np.argmin(np.abs(candidates - THRESHOLD))]
    return Chosen(float(nearest), best)


def _share(
    right: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], lacking: str
) -> IntervalEstimate:
    if len(right) == 0:
        return IntervalEstimate(None, None, None, "images", lacking)
    correct = int(right.sum())
    interval = wilson_over_images(correct, len(right))
    return IntervalEstimate(correct / len(right), interval.low, interval.high, "images")
