"""The ratio of two means over the same seeds (Fieller 1954, J R Stat Soc B 16:175)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import stats

from bench.statistics.intervals import LEVEL, IntervalEstimate


def ratio_over_seeds(
    first: Mapping[int, float], second: Mapping[int, float], level: float = LEVEL
) -> IntervalEstimate:
    """Mean of ``first`` over mean of ``second``, on the seeds that both have.

    The interval holds every ratio ρ for which a paired t test of ``first − ρ · second`` does not
    reject. It has two ends only where ``second`` is itself shown to lie above 0; a mean of
    ratios by seed would hide that, and a small denominator would rule it.
    """
    seeds = sorted(first.keys() & second.keys())
    over = np.array([first[seed] for seed in seeds])
    under = np.array([second[seed] for seed in seeds])
    if not seeds or under.mean() <= 0:
        blank = "no seed has both" if not seeds else "the denominator's mean is not above zero"
        return IntervalEstimate(None, None, None, "seeds", blank, level)
    value = float(over.mean() / under.mean())
    if len(seeds) < 2:
        blank = "one pair of trainings shows no spread over seeds"
        return IntervalEstimate(value, None, None, "seeds", blank, level)
    if np.ptp(over) + np.ptp(under) < 1e-12:
        blank = "every seed gives the same scores: no spread to use"
        return IntervalEstimate(value, None, None, "seeds", blank, level)
    t = float(stats.t.ppf(0.5 + level / 2, len(seeds) - 1))
    covariance = np.cov(over, under) * t**2 / len(seeds)
    # a·ρ² − 2·b·ρ + c ≤ 0
    a = float(under.mean() ** 2 - covariance[1, 1])
    b = float(over.mean() * under.mean() - covariance[0, 1])
    c = float(over.mean() ** 2 - covariance[0, 0])
    if a <= 0:
        blank = "the denominator is not shown to lie above zero"
        return IntervalEstimate(value, None, None, "seeds", blank, level)
    root = math.sqrt(max(0.0, b * b - a * c))
    return IntervalEstimate(value, (b - root) / a, (b + root) / a, "seeds", None, level)
