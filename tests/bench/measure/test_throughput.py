"""Timing: rounds, failures, intervals, percentiles."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.measure.load import Load, LoadWatch
from bench.measure.throughput import (
    MIN_ROUNDS,
    Subject,
    measure,
    median_interval,
    percentile,
    random_batches,
)


class _Sleeps(nn.Module):
    def __init__(self, seconds: float, visits: list[str], name: str) -> None:
        super().__init__()
        self.seconds, self.visits, self.name = seconds, visits, name
        self.seen: set[int] = set()

    def forward(self, images: Tensor) -> Tensor:
        assert torch.is_inference_mode_enabled()
        self.seen.add(images.data_ptr())
        self.visits.append(self.name)
        time.sleep(self.seconds)
        return images


class _Breaks(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        raise RuntimeError("no")


def _subject(model: nn.Module, name: str, seconds: float) -> Subject:
    rng = np.random.default_rng(0)
    inputs = random_batches((2, 1, 4, 4), device="cpu", rng=rng)
    return Subject(name=name, model=model, inputs=inputs, seconds=seconds)


def test_models_are_timed_in_turn_and_a_broken_one_stops_nobody() -> None:
    visits: list[str] = []
    fast, slow = _Sleeps(0.001, visits, "fast"), _Sleeps(0.01, visits, "slow")
    subjects = [_subject(m, n, 0.3) for m, n in ((fast, "fast"), (_Breaks(), "x"), (slow, "slow"))]
    measure(subjects, rng=np.random.default_rng(1))
    assert isinstance(subjects[1].failure, RuntimeError)
    assert not subjects[1].samples_s
    for subject, least in ((subjects[0], 0.001), (subjects[2], 0.01)):
        assert len(subject.rounds_s) >= MIN_ROUNDS
        assert min(subject.samples_s) >= least
    turns = sum(a != b for a, b in itertools.pairwise(visits))
    assert turns >= 2 * MIN_ROUNDS - 1
    assert len(fast.seen) == 4  # the inputs rotate


def test_a_slow_model_still_gets_its_rounds() -> None:
    subject = _subject(_Sleeps(0.02, [], "slow"), "slow", 0.001)
    measure([subject], rng=np.random.default_rng(1))
    assert len(subject.rounds_s) == MIN_ROUNDS


def test_random_batches_come_from_the_generator() -> None:
    first, again = (
        random_batches((2, 3, 8, 8), device="cpu", rng=np.random.default_rng(5)) for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    last = random_batches(
        (2, 3, 8, 8), device="cpu", rng=np.random.default_rng(5), channels_last=True
    )
    assert last[0].is_contiguous(memory_format=torch.channels_last)


def test_interval_holds_the_drift_between_rounds() -> None:
    """Times that agree within a round but not between rounds must not look certain."""
    rng = np.random.default_rng(0)
    drifting = [[level + 1e-6 * i for i in range(100)] for level in (1.0, 1.1, 1.2, 1.3, 1.4)]
    interval = median_interval(drifting, rng)
    assert interval.low <= 1.11
    assert interval.high >= 1.29
    assert interval.low <= interval.median <= interval.high
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
    assert percentile([1.0] * (least - 1), q) is None
    assert percentile([1.0] * least, q) == 1.0


def test_load() -> None:
    load = LoadWatch().stop()
    for share in (load.before, load.after, load.others):
        assert 0 <= share <= 1
    assert not Load(before=0.1, after=0.1, others=0.05).noisy
    assert Load(before=0.1, after=0.1, others=0.2).noisy
    assert Load(before=0.5, after=0.1, others=0.0).noisy
