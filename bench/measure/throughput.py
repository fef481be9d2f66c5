"""How fast models are: seconds per batch, measured in turn so that drift hits all alike.

One *subject* is a model at one batch size. Subjects are warmed up until their times are stable and
then visited in rounds, in an order drawn anew for each round; a visit times a short burst of
forward passes. Raw times are kept by round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from bench.measure.energy import EnergyMeter
from bench.measure.forms import Call, autocast
from bench.measure.timing import synchronise, threads, warm_up
from bench.specs import Precision

ROUNDS = 10  # into which a subject's time is divided
MIN_ROUNDS = 6  # held even where one pass takes longer than the subject's time
PATIENCE = 8  # times its seconds that a subject may take until it has the samples it needs
_WARM_UP_SHARE = 0.3  # of a subject's time; a slow model takes longer


@dataclass
class Subject:
    """A model in evaluation mode at one batch size, and what was measured of it so far.

    Attributes:
        inputs: batches of one shape, on the device, fed in rotation.
        seconds: how long to measure it, warm-up included; a slow model takes longer.
        least_samples: passes it needs, within ``PATIENCE`` times its seconds.
        first_pass_s: the very first pass, which finds memory to claim and kernels to choose.
        rounds_s: seconds of each timed pass, by round.
        energy_j: of the timed passes, where the meter tells it.
        failure: what it raised, if it did; it is then left out of later rounds.
    """

    name: str
    call: Call
    inputs: Sequence[Tensor]
    seconds: float
    precision: Precision = "float32"
    threads: int = 1
    least_samples: int = 0
    meter: EnergyMeter | None = None
    first_pass_s: float | None = None
    rounds_s: list[list[float]] = field(default_factory=list)
    energy_j: float = 0.0
    warm: bool = False
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
        if self.failure is not None:
            return True
        if len(self.rounds_s) < MIN_ROUNDS or self._spent_s < self.seconds:
            return False
        enough = sum(map(len, self.rounds_s)) >= self.least_samples
        return enough or self._spent_s >= PATIENCE * self.seconds

    @property
    def elapsed_share(self) -> float:
        """Fraction of its time that was spent; above 1 where passes are long."""
        return self._spent_s / self.seconds

    def start_again(self) -> None:
        """Forget what was timed; warm-up and the first pass stay."""
        self.rounds_s, self.energy_j, self._spent_s = [], 0.0, 0.0

    def take_first_pass(self) -> None:
        """The very first pass of the model at this shape."""
        self.first_pass_s = self.timed_pass()
        self._spent_s = 0.0

    def warm_up(self) -> None:
        """Untimed passes until their times are stable, or long enough."""
        self.warm = True
        self.stable = warm_up(self.timed_pass, _WARM_UP_SHARE * self.seconds)

    def visit(self) -> None:
        """One round: a burst of timed passes, after one untimed pass if passes are short.

        The untimed pass brings the model's weights back into the caches.
        """
        burst_s = self.seconds / ROUNDS
        if not self.rounds_s or self.rounds_s[-1][-1] < burst_s / 2:
            self.timed_pass()
        before_j = self.meter.read_j() if self.meter else 0.0
        start, burst = self._spent_s, [self.timed_pass()]
        while self._spent_s - start < burst_s:
            burst.append(self.timed_pass())
        self.energy_j += self.meter.read_j() - before_j if self.meter else 0.0
        self.rounds_s.append(burst)

    def timed_pass(self) -> float:
        """Seconds of one pass on the next of the inputs."""
        images = self.inputs[self._passes % len(self.inputs)]
        self._passes += 1
        with threads(self.threads), torch.inference_mode(), autocast(images, self.precision):
            synchronise(images.device)
            start = time.perf_counter()
            self.call(images)
            synchronise(images.device)
            seconds = time.perf_counter() - start
        self._spent_s += seconds
        return seconds


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
        if not subject.warm:
            _attempt(subject, subject.warm_up)
    while waiting := [subject for subject in subjects if not subject.finished]:
        for index in rng.permutation(len(waiting)):
            _attempt(waiting[index], waiting[index].visit)
            on_visit(waiting[index])


def _attempt(subject: Subject, step: Callable[[], None]) -> None:
    if subject.failure is not None:
        return
    try:
        step()
    except Exception as error:  # whatever a model raises is its result; the others go on
        subject.failure = error.with_traceback(None)  # its frames hold the model's activations
