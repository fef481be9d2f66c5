"""Timings: medians, percentiles, ratios by round, slopes; coverage is measured, not assumed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.statistics.timings import (
    log_slope,
    median_interval,
    percentile,
    samples_for,
    speed_ratio,
)


def test_interval_holds_the_drift_between_rounds() -> None:
    """Times that agree within a round but not between rounds must not look certain."""
    rng = np.random.default_rng(0)
    drifting = [[level + 1e-6 * i for i in range(100)] for level in (1.0, 1.1, 1.2, 1.3, 1.4)]
    interval = median_interval(drifting, rng)
    assert interval.low <= 1.11
    assert interval.high >= 1.29
    assert interval.low <= interval.value <= interval.high
    with pytest.raises(ValueError, match="at least 2 rounds, got 1"):
        median_interval([[1.0]], rng)


def test_interval_covers_the_true_median() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        rounds = [list(rng.normal(10, 1) + rng.normal(0, 0.1, 5)) for _ in range(10)]
        interval = median_interval(rounds, rng)
        covered += interval.low <= 10 <= interval.high
    assert covered >= 85


@pytest.mark.parametrize(("q", "least"), [(0.5, 5), (0.95, 59), (0.99, 299)])
def test_percentile_needs_a_sample_that_can_hold_it(q: float, least: int) -> None:
    assert samples_for(q) == least
    assert percentile([1.0] * (least - 1), q) is None
    assert percentile([1.0] * least, q) == 1.0


def _times(rng: np.random.Generator, rounds: int, factor: float) -> list[list[float]]:
    """Passes of 10 ms under drift, with a disturbed pass now and then."""
    return [
        [
            0.01 * factor * float(np.exp(rng.normal(0, 0.02) + 0.3 * (rng.random() < 0.05)))
            for _ in range(5)
        ]
        for _ in range(rounds)
    ]


def test_ratio_covers_equality_and_finds_five_percent() -> None:
    rng = np.random.default_rng(0)
    covered = found = 0
    for _ in range(200):
        drift = [float(np.exp(rng.normal(0, 0.1))) for _ in range(12)]
        a, b, slow = (_times(rng, 12, factor) for factor in (1.0, 1.0, 1.05))
        for rounds in (a, b, slow):
            for passes, level in zip(rounds, drift, strict=True):
                passes[:] = [level * seconds for seconds in passes]
        same, slower = speed_ratio(a, b), speed_ratio(a, slow)
        covered += same.low <= 1 <= same.high
        found += slower.low > 1
    assert covered >= 185  # of 200; 190 expected
    assert found >= 190


def test_ratio_interval_is_that_of_the_signed_rank_test() -> None:
    """Inverting scipy's exact test gives the same limits."""
    rng = np.random.default_rng(3)
    logs = rng.normal(0.02, 0.05, 11)
    ratio = speed_ratio([[1.0]] * 11, [[float(np.exp(v))] for v in logs])
    inside, outside = np.log(ratio.low) + 1e-9, np.log(ratio.low) - 1e-9
    assert stats.wilcoxon(logs - inside, method="exact").pvalue > 0.05
    assert stats.wilcoxon(logs - outside, method="exact").pvalue <= 0.05
    assert ratio.low <= ratio.value <= ratio.high


def test_ratio_needs_the_same_rounds() -> None:
    with pytest.raises(ValueError, match="got 3 and 2"):
        speed_ratio([[1.0]] * 3, [[1.0]] * 2)
    with pytest.raises(ValueError, match="2 rounds or more"):
        speed_ratio([[1.0]], [[1.0]])
    exact = speed_ratio([[1.0, 1.0]] * 8, [[2.0, 2.0]] * 8)
    assert (exact.value, exact.low, exact.high) == pytest.approx((2, 2, 2))


def test_slope_of_a_power_law() -> None:
    rng = np.random.default_rng(0)
    sizes = [28.0, 56.0, 112.0]
    rounds = [[[1e-6 * size**1.5 * level] for level in (0.9, 1.0, 1.2)] for size in sizes]
    slope = log_slope(sizes, rounds, rng)
    assert (slope.value, slope.low, slope.high) == pytest.approx((1.5, 1.5, 1.5))
    with pytest.raises(ValueError, match="two sizes"):
        log_slope([28.0], rounds[:1], rng)
    with pytest.raises(ValueError, match="same rounds"):
        log_slope(sizes, [rounds[0][:1], *rounds[1:]], rng)
