"""Thresholds chosen on validation, by hand and against scikit-learn's ROC curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.statistics.intervals import wilson_over_images
from bench.statistics.two_classes import threshold_of, two_classes

Images = st.lists(
    st.tuples(st.integers(0, 10).map(lambda k: k / 10), st.integers(0, 1)), min_size=2, max_size=30
)


def arrays(images: list[tuple[float, int]]) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.array([s for s, _ in images]), np.array([y for _, y in images])


def test_separated_classes_are_cut_between_them() -> None:
    low = threshold_of(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 0, 1, 1]))
    assert low.threshold == pytest.approx(0.25)
    assert low.youden == 1.0
    around = threshold_of(np.array([0.1, 0.2, 0.9]), np.array([0, 0, 1]))
    assert around.threshold == 0.5  # anywhere from 0.2 to 0.9 is as good


def test_of_equal_thresholds_the_nearest_to_a_half_is_taken() -> None:
    # cutting at 0.15 or at 0.65 gives J = 1/2 both
    scores, labels = np.array([0.1, 0.2, 0.6, 0.7]), np.array([0, 1, 0, 1])
    assert threshold_of(scores, labels).threshold == pytest.approx(0.65)


@given(Images)
def test_no_threshold_does_better(images: list[tuple[float, int]]) -> None:
    scores, labels = arrays(images)
    found = threshold_of(scores, labels)
    if len(set(labels.tolist())) < 2:
        assert found.blank in ("no positive image on validation", "no negative image on validation")
        return
    positive = labels == 1

    def youden(cut: float) -> float:
        return float((scores[positive] > cut).mean() + (scores[~positive] <= cut).mean() - 1)

    best = max(youden(cut / 20) for cut in range(-1, 22))
    if found.threshold is None:
        assert best <= 1e-12
    else:
        assert found.youden == pytest.approx(best)
        assert youden(found.threshold) == pytest.approx(best)
        others = [cut / 20 for cut in range(21) if abs(youden(cut / 20) - best) < 1e-9]
        # scores lie 0.1 apart: the middle of a gap is at most half a gap further than its edge
        assert abs(found.threshold - 0.5) <= min(abs(cut - 0.5) for cut in others) + 0.5


def test_sensitivity_and_specificity_on_test_with_wilsons_intervals() -> None:
    val = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1])
    scores = np.array([0.4, 0.5, 0.6, 0.7, 0.3, 0.9])
    labels = np.array([1, 1, 1, 1, 0, 0])
    found = two_classes(*val, scores, labels)
    assert found.chosen.threshold == 0.5
    assert found.sensitivity.value == 0.5  # a score at the threshold is not above it
    assert found.specificity.value == 0.5
    interval = wilson_over_images(2, 4)
    assert (found.sensitivity.low, found.sensitivity.high) == (interval.low, interval.high)
    assert found.sensitivity.covers == "images"


def test_test_labels_choose_nothing() -> None:
    val = np.array([0.1, 0.9]), np.array([0, 1])
    test = np.array([0.2, 0.8, 0.3])
    first = two_classes(*val, test, np.array([0, 1, 1]))
    second = two_classes(*val, test, np.array([1, 0, 1]))
    assert first.chosen == second.chosen


@pytest.mark.parametrize(
    ("scores", "labels", "reason"),
    [
        ([0.5, 0.5, 0.5], [0, 1, 1], "every validation image has the same score"),
        ([0.1, 0.9], [1, 1], "no negative image on validation"),
        ([0.1, 0.9], [0, 0], "no positive image on validation"),
        ([0.9, 0.1], [0, 1], "no threshold does better than chance on validation"),
        ([], [], "no positive image on validation"),
    ],
)
def test_what_chooses_no_threshold_leaves_both_blank(
    scores: list[float], labels: list[int], reason: str
) -> None:
    found = two_classes(np.array(scores), np.array(labels), np.array([0.2, 0.8]), np.array([0, 1]))
    assert found.chosen.blank == found.sensitivity.blank == found.specificity.blank == reason
    assert found.sensitivity.value is None


def test_a_class_that_is_absent_on_test_is_blank_alone() -> None:
    val = np.array([0.1, 0.9]), np.array([0, 1])
    found = two_classes(*val, np.array([0.2, 0.8]), np.array([1, 1]))
    assert found.sensitivity.value == 0.5
    assert found.specificity.value is None
    assert found.specificity.blank == "no negative image on test"
