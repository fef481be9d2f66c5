"""Timing: rounds, failures, intervals, percentiles."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.measure.building import random_batches
from bench.measure.load import Load, LoadWatch
from bench.measure.throughput import MIN_ROUNDS, PATIENCE, Subject, measure

pytestmark = pytest.mark.alone


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
    return Subject(name=name, call=model, inputs=inputs, seconds=seconds)


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
    assert turns >= MIN_ROUNDS  # one in each round at least; 1 in all if not in turn
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


def test_a_percentile_gets_its_samples_within_patience() -> None:
    """A fast model goes on until it has them, a slow one until its patience ends."""
    fast = _subject(_Sleeps(0.001, [], "fast"), "fast", 0.02)  # warm-up and all in half of it
    slow = _subject(_Sleeps(0.02, [], "slow"), "slow", 0.02)
    fast.least_samples = slow.least_samples = 59
    measure([fast, slow], rng=np.random.default_rng(1))
    assert len(fast.samples_s) >= 59
    assert len(slow.samples_s) < 59
    assert slow.elapsed_share >= PATIENCE


def test_measured_again_without_a_second_warm_up() -> None:
    visits: list[str] = []
    subject = _subject(_Sleeps(0.001, visits, "fast"), "fast", 0.05)
    subject.take_first_pass()
    first, passes = subject.first_pass_s, len(visits)
    assert (passes, subject.warm) == (1, False)
    measure([subject], rng=np.random.default_rng(1))
    assert subject.warm
    kept = subject.samples_s
    subject.start_again()
    assert not subject.samples_s
    measure([subject], rng=np.random.default_rng(1))
    assert subject.first_pass_s == first
    assert subject.samples_s
    assert subject.samples_s != kept


def test_a_failure_keeps_no_frames_and_so_no_memory() -> None:
    subject = _subject(_Breaks(), "x", 0.05)
    measure([subject], rng=np.random.default_rng(1))
    assert subject.failure is not None
    assert subject.failure.__traceback__ is None


def test_load() -> None:
    load = LoadWatch().stop()
    for share in (load.before, load.after, load.others):
        assert 0 <= share <= 1
    assert not Load(before=0.1, after=0.1, others=0.05).noisy
    assert Load(before=0.1, after=0.1, others=0.2).noisy
    assert Load(before=0.5, after=0.1, others=0.0).noisy
