"""Planted steps are found where they are; flat series show none; too few values say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from bench.statistics.change_points import LEAST, change_points, changes


@pytest.mark.parametrize(("before", "after"), [(10, 10), (5, 20), (20, 4)])
def test_a_step_is_found_where_it_is(before: int, after: int) -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(20):
        noise = rng.normal(0, 0.01, before + after)
        levels = np.r_[np.full(before, 1.0), np.full(after, 1.1)]
        found.append(change_points((levels + noise).tolist()))
    assert sum(any(abs(place - before) <= 1 for place in places) for places in found) >= 19


def test_flat_series_show_a_change_in_one_of_twenty_at_most() -> None:
    rng = np.random.default_rng(4)
    series = rng.normal(1, 0.01, size=(100, 30)).tolist()
    assert sum(bool(change_points(values)) for values in series) <= 5


def test_two_steps_are_two_changes() -> None:
    rng = np.random.default_rng(5)
    levels = np.repeat([1.0, 1.2, 0.9], 10) + rng.normal(0, 0.01, 30)
    assert change_points(levels.tolist()) == [10, 20]


def test_too_few_values_show_nothing() -> None:
    assert change_points([1.0] * 3 + [2.0] * (LEAST - 4)) == []


def test_without_noise_every_difference_is_a_change() -> None:
    assert changes([1.0, 1.0, 2.0, 2.0, 1.0]) == [2, 4]
    assert change_points([1.0] * 8 + [2.0] * 3) == [8]
