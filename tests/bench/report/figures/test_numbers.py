"""What figures show, against closed forms and independent implementations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from bench.evaluation.scores import auc, expected_calibration_error
from bench.report.collect import Variant
from bench.report.figures.axes import log_ticks
from bench.report.figures.confusion import counted_matrix, share
from bench.report.figures.ranks import cliques, critical_difference
from bench.report.figures.reliability import binned, decisions
from bench.report.figures.roc import corners, mean_curve, roc_curve
from bench.report.figures.scaling import upper_slope
from bench.report.figures.source import Entry
from bench.report.figures.style import RIVAL
from bench.report.figures.trade_off import Place, with_front
from bench.report.figures.trade_off_panels import staircase
from bench.statistics.intervals import IntervalEstimate

PAIRS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=12)


def places(points: list[tuple[int, int]]) -> list[Place]:
    entry = Entry(1, "m", "m", RIVAL, Variant("cpu", "float32"))
    return [
        Place(entry, float(x), None, None, IntervalEstimate(y / 10, None, None, "seeds"))
        for x, y in points
    ]


@given(PAIRS, st.booleans())
def test_the_front_holds_whom_no_other_beats(points: list[tuple[int, int]], faster: bool) -> None:
    sign = 1 if faster else -1
    for place, (x, y) in zip(
        with_front(places(points), more_is_better=faster), points, strict=True
    ):
        beaten = any(
            sign * a >= sign * x and b >= y and (sign * a > sign * x or b > y) for a, b in points
        )
        assert place.on_front is not beaten


@given(PAIRS, st.booleans())
def test_no_point_lies_beyond_the_staircase(points: list[tuple[int, int]], faster: bool) -> None:
    marked = with_front(places(points), more_is_better=faster)
    xs, ys = staircase(marked, (0.5, 7.0), 0.0, faster)
    assert len(xs) == len(ys)
    steps = list(itertools.pairwise(zip(xs, ys, strict=True)))
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in steps)  # level or upright
    for place in marked:
        heights = [
            max(a[1], b[1]) for a, b in steps if min(a[0], b[0]) <= place.x <= max(a[0], b[0])
        ]
        assert place.y <= max(heights) + 1e-9


@st.composite
def scored_images(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    count = draw(st.integers(2, 30))
    positive = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    positive[:2] = [True, False]
    ties = st.integers(0, 5)
    scores = np.array(draw(st.lists(ties, min_size=count, max_size=count)), dtype=np.float64)
    return positive, scores


@given(scored_images())
def test_a_roc_curve_is_sklearns(images: tuple[np.ndarray, np.ndarray]) -> None:
    positive, scores = images
    found = roc_curve(positive, scores)
    assert found is not None
    fpr, tpr, _ = metrics.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose(found[0], fpr)
    np.testing.assert_allclose(found[1], tpr)


def test_a_class_without_images_has_no_curve() -> None:
    assert roc_curve(np.zeros(3, bool), np.arange(3.0)) is None
    assert roc_curve(np.ones(3, bool), np.arange(3.0)) is None


@given(st.lists(scored_images(), min_size=1, max_size=4))
def test_the_area_below_the_mean_curve_is_the_mean_auc(
    seeds: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    curves = [roc_curve(*images) for images in seeds]
    aucs = [auc(*images) for images in seeds]
    x, y = mean_curve([curve for curve in curves if curve is not None])
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(np.mean([a for a in aucs if a is not None]))
    kept = corners(x, y)
    assert np.trapezoid([b for _, b in kept], [a for a, _ in kept]) == pytest.approx(
        np.trapezoid(y, x)
    )


def test_confusion_counts_are_sklearns() -> None:
    rng = np.random.default_rng(0)
    probs, labels = rng.dirichlet(np.ones(4), 200), rng.integers(4, size=200)
    counts = counted_matrix(probs, labels, "multi-class")
    np.testing.assert_array_equal(
        counts, metrics.confusion_matrix(labels, probs.argmax(axis=1), labels=range(4))
    )
    np.testing.assert_allclose(share(counts).sum(axis=1), 1)
    two = np.array([[0.5, 0.5], [0.4, 0.6]])  # 0.5 of the second is not above a half
    np.testing.assert_array_equal(
        counted_matrix(two, np.array([1, 1]), "binary-class"), [[0, 0], [1, 1]]
    )


def test_a_class_without_images_has_an_empty_row() -> None:
    assert share(np.array([[0, 0], [1, 3]])).tolist() == [[0, 0], [0.25, 0.75]]


@given(st.integers(0, 2**31), st.sampled_from(["multi-class", "multi-label, binary-class"]))
@settings(max_examples=30)
def test_the_bins_of_a_reliability_diagram_give_the_ece(seed: int, task: str) -> None:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(3), 50)
    several = task != "multi-class"
    labels = rng.integers(2, size=(50, 3)) if several else rng.integers(3, size=50)
    confidence, right = decisions(probs, labels, task)  # type: ignore[arg-type]
    bins = binned(confidence, right, 15)
    assert sum(one.decisions for one in bins) == len(confidence) == (150 if several else 50)
    gaps = [
        one.decisions * abs(one.accuracy - one.confidence)
        for one in bins
        if one.accuracy is not None and one.confidence is not None
    ]
    expected = expected_calibration_error(confidence, right.astype(bool))
    assert sum(gaps) / len(confidence) == pytest.approx(expected)


def test_a_confidence_of_one_lies_in_the_last_bin() -> None:
    assert binned(np.array([1.0]), np.array([1.0]), 15)[-1].decisions == 1


@pytest.mark.parametrize(("models", "quantile"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_that_of_demsars_table(models: int, quantile: float) -> None:
    wanted = quantile * math.sqrt(models * (models + 1) / (6 * 14))
    assert critical_difference(models, 14) == pytest.approx(wanted, rel=5e-4)


@given(st.lists(st.floats(1, 9), min_size=2, max_size=9), st.floats(0, 8))
def test_cliques_join_exactly_those_within_the_difference(
    ranks: list[float], critical: float
) -> None:
    ordered = sorted(ranks)
    found = cliques(ordered, critical)
    for a, b in itertools.combinations(range(len(ordered)), 2):
        joined = any(first <= a and b <= last for first, last in found)
        assert joined is (ordered[b] - ordered[a] <= critical)
    assert all(  # none within another
        not (p[0] <= q[0] and q[1] <= p[1]) for p, q in itertools.permutations(found, 2)
    )


def test_a_power_law_has_its_own_slope() -> None:
    assert upper_slope({s: 3 * s**2.6 for s in (28, 56, 112, 224)}) == pytest.approx(1.3)
    assert upper_slope({28: 9.0, 56: 1.0, 112: 2.0, 224: 8.0}) == pytest.approx(1.0)
    assert upper_slope({28: 1.0}) is None


@given(st.floats(1e-3, 1e6), st.floats(1.3, 1e5))
def test_a_log_axis_has_a_few_ticks_within_it(low: float, ratio: float) -> None:
    ticks = log_ticks(low, low * ratio)
    assert 1 <= len(ticks) <= 7
    assert all(low <= tick <= low * ratio for tick in ticks)
