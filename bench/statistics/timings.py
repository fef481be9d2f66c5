"""What repeated timings can say: medians, percentiles, ratios and slopes, each with its interval.

Times of one round resemble each other more than times of different rounds, and a machine's speed
drifts, so intervals rest on rounds, and two things are compared round by round.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
_RESAMPLES = 2000

Rounds = Sequence[Sequence[float]]
"""Seconds of each pass, by round."""


@dataclass(frozen=True)
class Estimate:
    """A value and its interval, of 95 % unless another level was asked for."""

    value: float
    low: float
    high: float


def median_interval(rounds: Rounds, rng: np.random.Generator) -> Estimate:
    """Median over all samples; the bootstrap interval from resampled rounds.

    Raises:
        ValueError: fewer than two rounds, of which no interval can be drawn.
    """
    if len(rounds) < 2:
        raise ValueError(f"an interval needs samples of at least 2 rounds, got {len(rounds)}")
    bursts = [np.asarray(burst, dtype=np.float64) for burst in rounds]
    medians = [
        float(np.median(np.concatenate([bursts[i] for i in draw])))
        for draw in rng.integers(len(bursts), size=(_RESAMPLES, len(bursts)))
    ]
    low, high = np.quantile(medians, [0.025, 0.975])
    return Estimate(float(np.median(np.concatenate(bursts))), float(low), float(high))


def percentile(samples: Sequence[float], q: float) -> float | None:
    """The ``q`` quantile, or None where the sample is too small to hold it.

    So many samples are asked for that at least one lies beyond the quantile with probability 0.95:
    ``n ≥ log 0.05 / log q``, that is 5 for the median, 59 for p95, 299 for p99.
    """
    return float(np.quantile(samples, q)) if len(samples) >= samples_for(q) else None


def samples_for(q: float) -> int:
    """How many samples the ``q`` quantile needs."""
    return math.ceil(math.log(0.05) / math.log(q))


def speed_ratio(first: Rounds, second: Rounds, level: float = LEVEL) -> Estimate:
    """``second / first`` in seconds, from rounds that timed both: above 1, the first is faster.

    Each round gives one ratio of medians. The estimate is Hodges and Lehmann's, the interval the
    one that belongs to Wilcoxon's signed-rank test: exact for any law of the noise that is
    symmetric on a log scale, and one disturbed round moves it little. With fewer than six rounds
    no such interval has 95 %; it is then the widest there is, and says less than it seems.

    Args:
        level: of the interval; a claim that two things differ asks for more than 0.95.

    Raises:
        ValueError: the two were not timed in the same rounds, or in fewer than two.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"need the same 2 rounds or more, got {len(first)} and {len(second)}")
    logs = np.array(
        [math.log(np.median(b) / np.median(a)) for a, b in zip(first, second, strict=True)]
    )
    pairs = itertools.combinations_with_replacement(logs, 2)
    walsh = np.sort([(a + b) / 2 for a, b in pairs])
    rank = _signed_rank_cut(len(logs), level)
    low, high = walsh[rank], walsh[len(walsh) - 1 - rank]
    return Estimate(math.exp(float(np.median(walsh))), math.exp(low), math.exp(high))


def _signed_rank_cut(n: int, level: float) -> int:
    """Place, from either end, of the Walsh average that is the interval's limit."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1
    for rank in range(1, n + 1):  # subsets of the ranks 1…n by their sum
        ways[rank:] += ways[:-rank].copy()
    tail = np.cumsum(ways) / 2.0**n
    return max(0, int(np.searchsorted(tail, (1 - level) / 2, side="right")) - 1)


def log_slope(
    sizes: Sequence[float], timed: Sequence[Rounds], rng: np.random.Generator
) -> Estimate:
    """Slope of log seconds against log size by least squares; the interval from resampled rounds.

    Raises:
        ValueError: fewer than two sizes, or sizes that were not timed in the same rounds.
    """
    counts = {len(rounds) for rounds in timed}
    if len(sizes) < 2 or len(sizes) != len(timed) or len(counts) != 1:
        raise ValueError("a slope needs two sizes or more, timed in the same rounds")
    x = np.log(np.asarray(sizes, dtype=np.float64))
    y = np.log([[float(np.median(passes)) for passes in rounds] for rounds in timed])
    drawn = rng.integers(y.shape[1], size=(_RESAMPLES, y.shape[1]))
    slopes = [_slope(x, np.median(y[:, draw], axis=1)) for draw in drawn]
    low, high = np.quantile(slopes, [0.025, 0.975])
    return Estimate(_slope(x, np.median(y, axis=1)), float(low), float(high))


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    centred = x - x.mean()
    return float((centred * (y - y.mean())).sum() / (centred**2).sum())
