"""Callables timed in turn, and the ratio of two of them with its interval.

Timings of a shared machine drift by 10 % and more between processes and minutes, so only what was
timed in the same rounds is compared, and intervals resample whole rounds, the same for both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

Progress = Callable[[str, float], None]
"""Told what is being done, and the fraction of it that is done."""

Step = Callable[[], None]
"""One pass; it returns when the device is done."""

_WARM_UP_SHARE = 0.2  # of a lane's time
_WARM_UP_LEAST = 2  # passes
_RESAMPLES = 2000


@dataclass
class Lane:
    """One contender: what is timed, and the seconds of each pass by round."""

    label: str
    step: Step
    rounds_s: list[list[float]] = field(default_factory=list)

    def median_s(self) -> float:
        return float(np.median([s for passes in self.rounds_s for s in passes]))


@dataclass(frozen=True)
class Ratio:
    """How many times as fast the first is as the second, with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def run_rounds(
    lanes: Sequence[Lane],
    *,
    rounds: int,
    seconds_per_lane: float,
    rng: np.random.Generator,
    on_visit: Callable[[Lane, float], None] = lambda lane, done: None,
) -> None:
    """Warm every lane up, then visit all in each round, in an order drawn anew."""
    for lane in lanes:
        passes, start = 0, time.perf_counter()
        while passes < _WARM_UP_LEAST or (
            time.perf_counter() - start < _WARM_UP_SHARE * seconds_per_lane
        ):
            lane.step()
            passes += 1
    burst_s = (1 - _WARM_UP_SHARE) * seconds_per_lane / rounds
    for number in range(rounds):
        for index in rng.permutation(len(lanes)):
            lane = lanes[index]
            lane.step()  # untimed: brings weights and code back into the caches
            lane.rounds_s.append(burst(lane.step, burst_s))
            on_visit(lane, (number + 1) / rounds)


def burst(step: Step, seconds: float) -> list[float]:
    """Seconds of each pass, one at least, until ``seconds`` are spent."""
    passes: list[float] = []
    while not passes or sum(passes) < seconds:
        start = time.perf_counter()
        step()
        passes.append(time.perf_counter() - start)
    return passes


def speed_ratio(
    first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], rng: np.random.Generator
) -> Ratio:
    """``median(second) / median(first)`` of seconds by round: above 1 where the first is faster.

    Raises:
        ValueError: the two were not timed in the same rounds, or in fewer than two.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"need the same 2 rounds or more, got {len(first)} and {len(second)}")
    a = np.array([np.median(passes) for passes in first])
    b = np.array([np.median(passes) for passes in second])
    drawn = rng.integers(len(a), size=(_RESAMPLES, len(a)))
    ratios = np.median(b[drawn], axis=1) / np.median(a[drawn], axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Ratio(float(np.median(b) / np.median(a)), float(low), float(high))
