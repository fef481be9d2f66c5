"""The difference of two *models* over seeds, on given test images.

The seed is the unit: each training is one value (its images averaged), so that many test images
never pass for many trainings. What holds on other images is not covered; for that see
:mod:`bench.statistics.over_seeds_and_images`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from bench.statistics.intervals import LEVEL, IntervalEstimate


@dataclass(frozen=True)
class SeedDifference:
    """Mean difference first − second over seeds.

    Attributes:
        estimate: its t interval over seeds.
        error: standard error of the mean difference, None where it is unknown.
        freedom: degrees of freedom of that error.
        seeds: the seeds that are paired; empty where no two trainings share a seed.
        differences: by those seeds.
        left_out: seeds that only one model has, where others are paired.
    """

    estimate: IntervalEstimate
    error: float | None
    freedom: float | None
    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    left_out: tuple[int, ...] = ()

    def interval(self, level: float) -> tuple[float, float] | None:
        """The t interval of another level, None where there is none."""
        if self.estimate.value is None or self.error is None or self.freedom is None:
            return None
        half = float(special.stdtrit(self.freedom, 0.5 + level / 2)) * self.error
        return self.estimate.value - half, self.estimate.value + half

    def p_beyond(self, bound: float, *, above: bool) -> float | None:
        """One-sided p of the hypothesis that the true difference does not lie beyond ``bound``."""
        if self.estimate.value is None or self.error is None or self.freedom is None:
            return None
        t = (self.estimate.value - bound) / self.error
        return float(special.stdtr(self.freedom, -t if above else t))


def difference_over_seeds(
    first: Mapping[int, float], second: Mapping[int, float], level: float = LEVEL
) -> SeedDifference:
    """Paired t interval over the seeds that both have; Welch's where they share none.

    Args:
        first, second: seed → score of that training on the same test images.
    """
    shared = tuple(sorted(first.keys() & second.keys()))
    if not shared:
        return _welch(first, second, level)
    gaps = tuple(first[seed] - second[seed] for seed in shared)
    left_out = tuple(sorted(first.keys() ^ second.keys()))
    mean = float(np.mean(gaps))
    blank = None
    if len(gaps) < 2:
        blank = "one pair of trainings shows no spread over seeds"
    elif np.ptp(gaps) < 1e-12:  # rounding apart
        blank = "the difference is the same for every seed: no spread to use"
    if blank is not None:
        bare = IntervalEstimate(mean, None, None, "seeds", blank, level)
        return SeedDifference(bare, None, None, shared, gaps, left_out)
    error = float(np.std(gaps, ddof=1)) / math.sqrt(len(gaps))
    estimate = _t_interval(mean, error, len(gaps) - 1, level)
    return SeedDifference(estimate, error, len(gaps) - 1, shared, gaps, left_out)


def _welch(first: Mapping[int, float], second: Mapping[int, float], level: float) -> SeedDifference:
    """Welch's interval of two independent means (Welch 1947)."""
    if not first or not second:
        missing = IntervalEstimate(None, None, None, "seeds", "a model has no training", level)
        return SeedDifference(missing, None, None, (), ())
    a, b = (np.array(list(scores.values())) for scores in (first, second))
    mean = float(a.mean() - b.mean())
    blank = None
    if len(a) < 2 or len(b) < 2:
        blank = "no shared seeds, and a single training shows no spread over seeds"
    elif np.ptp(a) + np.ptp(b) < 1e-12:
        blank = "every seed gives the same score: no spread to use"
    if blank is not None:
        bare = IntervalEstimate(mean, None, None, "seeds", blank, level)
        return SeedDifference(bare, None, None, (), ())
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    error = math.sqrt(sum(parts))
    estimate = _t_interval(mean, error, float(freedom), level)
    return SeedDifference(estimate, error, float(freedom), (), ())


def _t_interval(mean: float, error: float, freedom: float, level: float) -> IntervalEstimate:
    half = float(special.stdtrit(freedom, 0.5 + level / 2)) * error
    return IntervalEstimate(mean, mean - half, mean + half, "seeds", None, level)
