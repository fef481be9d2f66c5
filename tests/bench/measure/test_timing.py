"""Lanes timed in turn: every round holds each of them once; energy is told per lane."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import torch

from bench.measure.energy import EnergyMeter
from bench.measure.timing import Lane, run_rounds, threads, warm_up

pytestmark = pytest.mark.alone


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


def test_a_lane_that_fails_late_stops_nobody() -> None:
    calls = itertools.count()

    def breaks() -> None:
        if next(calls) > 8:
            raise RuntimeError("out of memory\nat last")

    lanes = [Lane("breaks", breaks), Lane("goes on", lambda: time.sleep(0.001))]
    run_rounds(lanes, rounds=6, seconds_per_lane=0.0, rng=np.random.default_rng(0))
    assert lanes[0].failure == "out of memory"
    assert len(lanes[0].rounds_s) < 6
    assert (lanes[1].failure, len(lanes[1].rounds_s)) == (None, 6)


def test_energy_is_read_around_each_burst_alone() -> None:
    readings = itertools.count(step=5)
    meter = EnergyMeter("planted", lambda: float(next(readings)))
    lanes = [Lane(name, lambda: time.sleep(0.001)) for name in "ab"]
    rng = np.random.default_rng(0)
    run_rounds(lanes, rounds=3, seconds_per_lane=0.01, rng=rng, meter=meter)
    assert [lane.energy_j for lane in lanes] == [15.0, 15.0]


def test_warm_up_ends_when_times_are_stable() -> None:
    """Falling times: stable where the last three differ from the three before by 5 % at most."""
    falling = iter([8.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert warm_up(lambda: next(falling), 0.0)
    assert list(falling) == [1.0]  # eight passes: 2, 1, 1 before and 1, 1, 1 now


def test_warm_up_gives_up_after_its_seconds_and_twelve_passes() -> None:
    passes = itertools.count(1)
    assert not warm_up(lambda: 2.0 ** next(passes), 1.0)
    assert next(passes) == 13  # long passes: twelve all the same
    passes = itertools.count(1)
    assert not warm_up(lambda: next(passes) * 1.0 if next(passes) % 4 else 0.1, 40.0)
    assert next(passes) > 13  # short ones: until the seconds are spent


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
