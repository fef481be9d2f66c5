"""Longest first: the order, and the bounds that it keeps."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cluster.order import longest_first
from bench.cluster.scaling import Point, scaling, stops_scaling
from bench.plan import make_plan
from bench.suite import load_suite


def test_the_longest_come_first_unknown_before_them_and_equal_ones_in_their_order(
    suite_file: Path,
) -> None:
    suite = load_suite(str(suite_file))
    runs = make_plan(suite, suite.cells, download=False).runs
    seconds = dict(zip((run.id for run in runs), (1.0, 3.0, None, 3.0, 2.0), strict=True))
    ordered = longest_first(runs, lambda run: seconds[run.id])
    assert [runs.index(run) for run in ordered] == [2, 1, 3, 4, 0]


@given(
    st.lists(st.floats(0.1, 100.0), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_no_machine_idles_while_a_run_waits(seconds: list[float], machines: int) -> None:
    (point,) = scaling(seconds, (machines,))
    total, longest = sum(seconds), max(seconds)
    lower = max(total / machines, longest)
    assert lower - 1e-6 <= point.makespan_s <= total / machines + longest + 1e-6
    assert point.utilisation == pytest.approx(total / (machines * point.makespan_s))


@given(st.lists(st.floats(0.1, 100.0), min_size=1, max_size=6), st.integers(1, 3))
def test_longest_first_is_within_a_third_of_the_best_deal(
    seconds: list[float], machines: int
) -> None:
    """Graham 1969, SIAM J Appl Math 17:416, theorem 3; the best of all deals is found by trying."""
    best = min(
        max(sum(s for s, at in zip(seconds, deal, strict=True) if at == m) for m in range(machines))
        for deal in itertools.product(range(machines), repeat=len(seconds))
    )
    (point,) = scaling(seconds, (machines,))
    assert best - 1e-6 <= point.makespan_s <= best * (4 / 3 - 1 / (3 * machines)) + 1e-6


def test_where_it_stops_scaling_is_the_first_that_idles_a_fifth() -> None:
    points = scaling([1.0] * 8, (1, 4, 8, 9, 16))
    assert [point.makespan_s for point in points] == [8.0, 2.0, 1.0, 1.0, 1.0]
    assert stops_scaling(points) == Point(16, 1.0, 0.5)
    assert stops_scaling(points[:4]) is None
