"""How fast models are: seconds per batch, measured in turn so that drift hits all alike.

One *subject* is a model at one batch size. Subjects are warmed up until their times are stable and
then visited in rounds, in an order drawn anew for each round; a visit times a short burst of
forward passes. Raw times are kept by round, and intervals resample whole rounds, because times of
one burst resemble each other more than times of different rounds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.specs import Precision

ROUNDS = 10  # into which a subject's time is divided
MIN_ROUNDS = 3  # held even where one pass takes longer than the subject's time
INPUTS = 4  # distinct random batches fed in rotation
_WARM_UP_SHARE = 0.3  # of a subject's time, at most
_WARM_UP_WINDOW = 3  # passes whose medians are compared
_STABLE_WITHIN = 0.05  # relative change of that median
_RESAMPLES = 2000


@dataclass
class Subject:
    """A model in evaluation mode at one batch size, and what was measured of it so far.

    Attributes:
        inputs: batches of one shape, on the device, fed in rotation.
        seconds: how long to measure it, warm-up included; a slow model takes longer.
        rounds_s: seconds of each timed pass, by round.
        failure: what it raised, if it did; it is then left out of later rounds.
    """

    name: str
    model: nn.Module
    inputs: Sequence[Tensor]
    seconds: float
    precision: Precision = "float32"
    threads: int = 1
    rounds_s: list[list[float]] = field(default_factory=list)
    stable: bool = False
    failure: Exception | None = None
    _spent_s: float = 0.0
    _passes: int = 0

    @property
    def batch_size(self) -> int:
        return int(self.inputs[0].shape[0])

    @property
    def samples_s(self) -> list[float]:
        """Seconds of every timed pass, in order."""
        return [sample for burst in self.rounds_s for sample in burst]

    @property
    def finished(self) -> bool:
        enough = len(self.rounds_s) >= MIN_ROUNDS and self._spent_s >= self.seconds
        return self.failure is not None or enough

    @property
    def elapsed_share(self) -> float:
        """Fraction of its time that was spent; above 1 where passes are long."""
        return self._spent_s / self.seconds

    def warm_up(self) -> None:
        """Pass until the median time of the last passes equals that of the passes before them."""
        times: list[float] = []
        while not self.stable and self._spent_s < _WARM_UP_SHARE * self.seconds:
            times.append(self._timed_pass())
            if len(times) >= 2 * _WARM_UP_WINDOW:
                before = np.median(times[-2 * _WARM_UP_WINDOW : -_WARM_UP_WINDOW])
                now = np.median(times[-_WARM_UP_WINDOW:])
                self.stable = bool(abs(now - before) <= _STABLE_WITHIN * before)

    def visit(self) -> None:
        """One round: a burst of timed passes, after one untimed pass if passes are short.

        The untimed pass brings the model's weights back into the caches.
        """
        burst_s = self.seconds / ROUNDS
        if not self.rounds_s or self.rounds_s[-1][-1] < burst_s / 2:
            self._timed_pass()
        start, burst = self._spent_s, [self._timed_pass()]
        while self._spent_s - start < burst_s:
            burst.append(self._timed_pass())
        self.rounds_s.append(burst)

    def _timed_pass(self) -> float:
        images = self.inputs[self._passes % len(self.inputs)]
        self._passes += 1
        with _threads(self.threads), torch.inference_mode(), autocast(images, self.precision):
            _synchronise(images.device)
            start = time.perf_counter()
            self.model(images)
            _synchronise(images.device)
            seconds = time.perf_counter() - start
        self._spent_s += seconds
        return seconds


@dataclass(frozen=True)
class Interval:
    """The median and its 95 % bootstrap interval."""

    median: float
    low: float
    high: float


def random_batches(
    shape: tuple[int, int, int, int],
    *,
    device: str,
    rng: np.random.Generator,
    channels_last: bool = False,
) -> list[Tensor]:
    """``INPUTS`` batches of normal noise, the statistics of standardised images."""
    form = torch.channels_last if channels_last else torch.contiguous_format
    drawn = (rng.standard_normal(shape, dtype=np.float32) for _ in range(INPUTS))
    return [torch.from_numpy(batch).to(device).to(memory_format=form) for batch in drawn]


def measure(
    subjects: Sequence[Subject],
    *,
    rng: np.random.Generator,
    on_visit: Callable[[Subject], None] = lambda _: None,
) -> None:
    """Fill the subjects' ``rounds_s``; one that raises keeps its ``failure`` and the others go on.

    The models must be in evaluation mode and on the device of their inputs.
    """
    for subject in subjects:
        _attempt(subject, subject.warm_up)
    while waiting := [subject for subject in subjects if not subject.finished]:
        for index in rng.permutation(len(waiting)):
            _attempt(waiting[index], waiting[index].visit)
            on_visit(waiting[index])


def median_interval(rounds_s: Sequence[Sequence[float]], rng: np.random.Generator) -> Interval:
    """Median over all samples; the interval from resampled rounds.

    Raises:
        ValueError: fewer than two rounds, of which no interval can be drawn.
    """
    if len(rounds_s) < 2:
        raise ValueError(f"an interval needs samples of at least 2 rounds, got {len(rounds_s)}")
    rounds = [np.asarray(burst, dtype=np.float64) for burst in rounds_s]
    drawn: NDArray[np.int64] = rng.integers(len(rounds), size=(_RESAMPLES, len(rounds)))
    medians = [float(np.median(np.concatenate([rounds[i] for i in draw]))) for draw in drawn]
    low, high = np.quantile(medians, [0.025, 0.975])
    return Interval(float(np.median(np.concatenate(rounds))), float(low), float(high))


def percentile(samples: Sequence[float], q: float) -> float | None:
    """The ``q`` quantile, or None where the sample is too small to hold it.

    So many samples are asked for that at least one lies beyond the quantile with probability 0.95:
    ``n ≥ log 0.05 / log q``, that is 5 for the median, 59 for p95, 299 for p99.
    """
    if len(samples) < math.log(0.05) / math.log(q):
        return None
    return float(np.quantile(samples, q))


def autocast(images: Tensor, precision: Precision) -> AbstractContextManager[object]:
    """Automatic mixed precision for the types below float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(images.device.type, dtype=getattr(torch, precision))


def _attempt(subject: Subject, step: Callable[[], None]) -> None:
    if subject.failure is not None:
        return
    try:
        step()
    except Exception as error:  # whatever a model raises is its result; the others go on
        subject.failure = error


class _threads:
    """``torch.set_num_threads`` for a block; free where nothing changes."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def __enter__(self) -> None:
        self._before = torch.get_num_threads()
        if self._before != self._threads:
            torch.set_num_threads(self._threads)

    def __exit__(self, *_: object) -> None:
        if self._before != self._threads:
            torch.set_num_threads(self._before)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
