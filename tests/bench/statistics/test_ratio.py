"""Fieller's interval: what a paired t test does not reject, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.ratio import ratio_over_seeds

Scores = st.lists(st.floats(0.3, 0.9), min_size=3, max_size=8)


def rejected(first: list[float], second: list[float], ratio: float) -> bool:
    """By scipy's own test of the mean of first − ratio · second."""
    gaps = np.array(first) - ratio * np.array(second)
    return bool(stats.ttest_1samp(gaps, 0.0).pvalue < 0.05)


@settings(deadline=None, max_examples=60)
@given(Scores, st.integers(0, 2**16))
def test_it_holds_the_ratios_that_a_t_test_does_not_reject(under: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    over = [float(rng.uniform(0, 1)) for _ in under]
    found = ratio_over_seeds(dict(enumerate(over)), dict(enumerate(under)))
    assert found.value == pytest.approx(np.mean(over) / np.mean(under))
    assert found.value is not None
    if found.low is None or found.high is None:
        assert not stats.ttest_1samp(under, 0.0).pvalue < 0.05
        return
    width = found.high - found.low
    for inside in (found.low + 0.01 * width, found.value, found.high - 0.01 * width):
        assert not rejected(over, under, inside)
    for outside in (found.low - 0.01 * width, found.high + 0.01 * width):
        assert rejected(over, under, outside)


def test_a_known_denominator_gives_the_t_interval() -> None:
    over = {0: 0.1, 1: 0.2, 2: 0.3}
    found = ratio_over_seeds(over, dict.fromkeys(over, 0.5))
    half = stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert found.low == pytest.approx((0.2 - half) / 0.5)
    assert found.high == pytest.approx((0.2 + half) / 0.5)


def test_where_there_is_no_honest_interval_it_says_why() -> None:
    assert ratio_over_seeds({0: 0.1}, {1: 0.1}).blank == "no seed has both"
    one = ratio_over_seeds({0: 0.1}, {0: 0.2})
    assert (one.value, one.low) == (0.5, None)
    assert one.blank == "one pair of trainings shows no spread over seeds"
    near_zero = ratio_over_seeds({0: 0.1, 1: 0.2, 2: 0.1}, {0: 0.1, 1: -0.1, 2: 0.03})
    assert near_zero.low is None
    assert near_zero.blank == "the denominator is not shown to lie above zero"
    same = dict.fromkeys(range(3), 0.2)
    assert (
        ratio_over_seeds(same, same).blank == "every seed gives the same scores: no spread to use"
    )
    assert ratio_over_seeds(same, dict.fromkeys(range(3), 0.0)).value is None
