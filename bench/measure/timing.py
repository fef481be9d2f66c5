"""Callables timed in turn: in rounds, all in each round, in an order drawn anew.

Timings of a shared machine drift by 10 % and more between processes and minutes, so only what was
timed in the same rounds is compared (``bench.statistics.timings.speed_ratio``).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from bench.errors import one_line
from bench.measure.energy import EnergyMeter

Progress = Callable[[str, float], None]
"""Told what is being done, and the fraction of it that is done."""

Step = Callable[[], None]
"""One pass; it returns when the device is done."""

_WARM_UP_SHARE = 0.2  # of a lane's time
_WARM_UP_PASSES = 12  # that it may take even where passes are long
_WARM_UP_WINDOW = 3  # passes whose medians are compared
_STABLE_WITHIN = 0.05  # relative change of that median


@dataclass
class Lane:
    """One contender: what is timed, and the seconds of each pass by round.

    Attributes:
        energy_j: of the timed passes, where a meter was given.
        stable: its times had settled when its warm-up ended.
        failure: what it raised while it was timed; the others went on without it.
    """

    label: str
    step: Step
    rounds_s: list[list[float]] = field(default_factory=list)
    energy_j: float = 0.0
    stable: bool = False
    failure: str | None = None

    def median_s(self) -> float:
        return float(np.median([s for passes in self.rounds_s for s in passes]))


def run_rounds(
    lanes: Sequence[Lane],
    *,
    rounds: int,
    seconds_per_lane: float,
    rng: np.random.Generator,
    on_visit: Callable[[Lane, float], None] = lambda lane, done: None,
    meter: EnergyMeter | None = None,
    settle: bool = True,
) -> None:
    """Warm every lane up, then visit all in each round, in an order drawn anew.

    Args:
        settle: begin each visit with an untimed pass, which brings weights and code back into the
            caches. Without it the lanes follow each other more closely, and drift shows less.
    """
    for lane in lanes:
        _attempt(lane, partial(_warm_up_lane, lane, _WARM_UP_SHARE * seconds_per_lane))
    burst_s = (1 - _WARM_UP_SHARE) * seconds_per_lane / rounds
    for number in range(rounds):
        for index in rng.permutation(len(lanes)):
            lane = lanes[index]
            _attempt(lane, partial(_visit, lane, burst_s, meter, settle))
            on_visit(lane, (number + 1) / rounds)


def _attempt(lane: Lane, act: Callable[[], None]) -> None:
    if lane.failure is None:
        try:
            act()
        except Exception as error:  # whatever a model raises late is its own; the others go on
            lane.failure = one_line(error)


def _warm_up_lane(lane: Lane, seconds: float) -> None:
    lane.stable = warm_up(lambda: burst(lane.step, 0.0)[0], seconds)


def warm_up(timed_pass: Callable[[], float], seconds: float) -> bool:
    """Pass until times are stable; False if they were not within ``seconds`` and twelve passes.

    Stable: the median of the last three passes is within 5 % of that of the three before.
    """
    times: list[float] = []
    while len(times) < _WARM_UP_PASSES or sum(times) < seconds:
        times.append(timed_pass())
        if len(times) >= 2 * _WARM_UP_WINDOW:
            before = float(np.median(times[-2 * _WARM_UP_WINDOW : -_WARM_UP_WINDOW]))
            now = float(np.median(times[-_WARM_UP_WINDOW:]))
            if abs(now - before) <= _STABLE_WITHIN * before:
                return True
    return False


def _visit(lane: Lane, seconds: float, meter: EnergyMeter | None, settle: bool) -> None:
    if settle:
        lane.step()
    before_j = meter.read_j() if meter else 0.0
    lane.rounds_s.append(burst(lane.step, seconds))
    lane.energy_j += meter.read_j() - before_j if meter else 0.0


def burst(step: Step, seconds: float) -> list[float]:
    """Seconds of each pass, one at least, until ``seconds`` are spent."""
    passes: list[float] = []
    while not passes or sum(passes) < seconds:
        start = time.perf_counter()
        step()
        passes.append(time.perf_counter() - start)
    return passes


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """``torch.set_num_threads`` for a block; free where nothing changes."""
    before = torch.get_num_threads()
    if before != count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if before != count:
            torch.set_num_threads(before)


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
