"""A difference of two means over the same seeds, with its interval.

With three seeds a spread is known from two degrees of freedom, so an interval is wide: that is
what three seeds can say, and no resampling of three values would make it honestly narrower.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Mean paired difference; its two-sided 95 % interval, None where the pairs show no spread."""

    mean: float
    low: float | None
    high: float | None
    pairs: int


def paired_difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """``first − second`` by pairs, Student's t over the pairs.

    Raises:
        ValueError: no pairs, or sequences of different lengths.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"need pairs, got {len(first)} and {len(second)} values")
    gaps = [a - b for a, b in zip(first, second, strict=True)]
    mean = statistics.fmean(gaps)
    if len(gaps) < 2 or max(gaps) - min(gaps) < 1e-12:  # rounding apart: no spread to use
        return Difference(mean, None, None, len(gaps))
    half = float(stats.t.ppf(0.5 + LEVEL / 2, len(gaps) - 1)) * statistics.stdev(gaps)
    half /= math.sqrt(len(gaps))
    return Difference(mean, mean - half, mean + half, len(gaps))


def noninferiority_power(spread: float, pairs: int, margin: float) -> float:
    """How often equal models would be shown non-inferior: P(lower bound > −margin), true gap 0.

    Args:
        spread: standard deviation of the paired differences, in the unit of ``margin``.
        pairs: how many pairs, 2 or more.
        margin: how much worse still counts as not inferior, positive.

    Uses the noncentral t distribution (Julious 2004, Stat Med 23:1921, for paired means).
    """
    if spread == 0:
        return 1.0
    critical = float(stats.t.ppf(0.5 + LEVEL / 2, pairs - 1))
    shift = margin / (spread / math.sqrt(pairs))
    return float(1 - stats.nct.cdf(critical, pairs - 1, shift))
