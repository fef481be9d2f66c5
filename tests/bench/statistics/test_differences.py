"""Paired differences against a worked example, by simulation, and their power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.statistics.differences import noninferiority_power, paired_difference


def test_the_interval_is_scipys_paired_t() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=7).tolist(), rng.normal(size=7).tolist()
    wanted = stats.ttest_rel(first, second).confidence_interval(0.95)
    found = paired_difference(first, second)
    assert found.low == pytest.approx(wanted.low)
    assert found.high == pytest.approx(wanted.high)
    assert found.mean == pytest.approx(np.mean(first) - np.mean(second))


@pytest.mark.parametrize("pairs", [3, 5, 10])
def test_intervals_cover_as_often_as_they_say(pairs: int) -> None:
    rng = np.random.default_rng(pairs)
    draws = rng.normal(0.3, 1.0, size=(4000, pairs))
    held = 0
    for gaps in draws:
        found = paired_difference(gaps.tolist(), [0.0] * pairs)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.3 <= found.high
    assert 0.94 <= held / len(draws) <= 0.96


@pytest.mark.parametrize(("spread", "pairs"), [(0.01, 3), (0.005, 3), (0.02, 5), (0.01, 10)])
def test_power_is_what_a_simulation_finds(spread: float, pairs: int) -> None:
    rng = np.random.default_rng(1)
    draws = rng.normal(0.0, spread, size=(20_000, pairs))
    half = stats.t.ppf(0.975, pairs - 1) * draws.std(axis=1, ddof=1) / np.sqrt(pairs)
    shown = float(np.mean(draws.mean(axis=1) - half > -0.01))
    assert noninferiority_power(spread, pairs, 0.01) == pytest.approx(shown, abs=0.015)


def test_one_pair_shows_no_spread_and_no_pairs_are_refused() -> None:
    single = paired_difference([0.8], [0.7])
    assert single.mean == pytest.approx(0.1)
    assert (single.low, single.high, single.pairs) == (None, None, 1)
    assert noninferiority_power(0.0, 3, 0.01) == 1.0
    with pytest.raises(ValueError, match="need pairs, got 2 and 1 values"):
        paired_difference([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="need pairs, got 0"):
        paired_difference([], [])


def test_pairs_that_differ_alike_show_no_spread() -> None:
    """Their interval would have no width, and decide everything."""
    alike = paired_difference([0.3, 0.4, 0.6], [0.2, 0.3, 0.5])
    assert alike.mean == pytest.approx(0.1)
    assert (alike.low, alike.high, alike.pairs) == (None, None, 3)
