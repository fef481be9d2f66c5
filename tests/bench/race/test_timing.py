"""Ratios of interleaved timings: right on planted ones, blind to drift, honest about noise."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bench.race.record import judge
from bench.race.timing import Lane, run_rounds, speed_ratio


def planted(ratio: float, *, rounds: int, seed: int) -> tuple[list[list[float]], list[list[float]]]:
    """Two lanes that share a drift of 30 % and have 5 % noise of their own."""
    rng = np.random.default_rng(seed)
    drift = 1 + 0.3 * rng.random(rounds)
    first = [[t * (1 + 0.05 * rng.standard_normal()) for _ in range(3)] for t in drift]
    second = [[t * ratio * (1 + 0.05 * rng.standard_normal()) for _ in range(3)] for t in drift]
    return first, second


def test_the_interval_holds_the_planted_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        ratio = speed_ratio(*planted(1.2, rounds=10, seed=seed), rng)
        held += ratio.low <= 1.2 <= ratio.high
    assert 0.90 <= held / 200 <= 1.0


def test_a_slower_copy_is_found_through_drift() -> None:
    rng = np.random.default_rng(0)
    ratio = speed_ratio(*planted(1.15, rounds=12, seed=3), rng)
    assert ratio.low > 1.0
    assert ratio.value == pytest.approx(1.15, rel=0.05)


def test_lanes_of_different_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="the same 2 rounds or more, got 3 and 2"):
        speed_ratio([[1.0]] * 3, [[1.0]] * 2, np.random.default_rng(0))


def test_every_lane_is_visited_once_a_round() -> None:
    seen: list[str] = []
    lanes = [Lane(name, lambda: time.sleep(0.001)) for name in "abc"]
    run_rounds(
        lanes,
        rounds=4,
        seconds_per_lane=0.02,
        rng=np.random.default_rng(0),
        on_visit=lambda lane, done: seen.append(lane.label),
    )
    assert [sorted(seen[i : i + 3]) for i in range(0, 12, 3)] == [list("abc")] * 4
    assert len({tuple(seen[i : i + 3]) for i in range(0, 12, 3)}) > 1  # in changing order
    assert all(len(lane.rounds_s) == 4 for lane in lanes)
    assert all(0.001 <= lane.median_s() < 0.1 for lane in lanes)


def test_verdicts_follow_the_interval() -> None:
    assert judge(1.01, 1.2, 1.0) == "reached"
    assert judge(0.8, 0.99, 1.0) == "missed"
    assert judge(0.9, 1.1, 1.0) == "within noise"
    assert judge(0.9, 1.1, None) == "no floor"
