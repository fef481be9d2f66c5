"""What a sample could have shown: power of the t test and of equivalence, over pairs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from scipy import optimize, stats

POWER = 0.8
ALPHA = 0.05
MOST_SEEDS = 1000  # beyond it "more seeds" is no advice


def power_to_differ(difference: float, spread: float, pairs: int, alpha: float = ALPHA) -> float:
    """How often a two-sided paired t test is below ``alpha`` and of the right sign.

    Args:
        difference: the true mean difference.
        spread: standard deviation of the paired differences, positive.
        pairs: 2 or more.
    """
    critical = float(stats.t.ppf(1 - alpha / 2, pairs - 1))
    shift = abs(difference) * math.sqrt(pairs) / spread
    return float(stats.nct.sf(critical, pairs - 1, shift))


def power_to_be_equivalent(
    difference: float, spread: float, pairs: int, region: float, alpha: float = ALPHA
) -> float:
    """How often two one-sided tests place the difference within ``± region``.

    A lower bound that is close where it matters (Phillips 1990, J Pharmacokinet Biopharm 18:137).
    """
    critical = float(stats.t.ppf(1 - alpha, pairs - 1))
    error = spread / math.sqrt(pairs)
    lower = float(stats.nct.sf(critical, pairs - 1, (difference + region) / error))
    upper = float(stats.nct.cdf(-critical, pairs - 1, (difference - region) / error))
    return max(0.0, lower + upper - 1)


def smallest_detectable(
    spread: float, pairs: int, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The true difference that the t test finds with probability ``power``."""
    return _detectable_spreads(pairs, alpha, power) * spread


@cache
def _detectable_spreads(pairs: int, alpha: float, power: float) -> float:
    """The same in units of the spread; a suite asks this of few numbers of pairs, many times."""

    def gap(shift: float) -> float:
        return power_to_differ(shift, 1.0, pairs, alpha) - power

    return float(optimize.brentq(gap, 0.0, _bracket(gap)))


def _bracket(gap: Callable[[float], float]) -> float:
    high = 1.0
    while gap(high) < 0:
        high *= 2
    return high


def pairs_to_decide(
    difference: float, spread: float, region: float, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """The fewest pairs with which such a difference is shown, or shown to be within ``± region``.

    The observed difference and spread are taken for the truth, so this is a rough guide. None:
    more than ``MOST_SEEDS``.
    """

    def enough(pairs: int) -> bool:
        differs = power_to_differ(difference, spread, pairs, alpha)
        return power <= max(
            differs, power_to_be_equivalent(difference, spread, pairs, region, alpha)
        )

    if not enough(MOST_SEEDS):
        return None
    low, high = 1, MOST_SEEDS  # power grows with pairs; low is not enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def images_to_decide(
    first_only: int, second_only: int, images: int, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """How many test images McNemar's test of two given trainings needs at these disagreements.

    Connor 1987 (Biometrics 43:207). None: the observed difference is zero.
    """
    differ, gap = (first_only + second_only) / images, abs(first_only - second_only) / images
    if gap == 0:
        return None
    z_alpha, z_power = float(stats.norm.ppf(1 - alpha / 2)), float(stats.norm.ppf(power))
    root = z_alpha * math.sqrt(differ) + z_power * math.sqrt(max(differ - gap**2, 0.0))
    return math.ceil((root / gap) ** 2)
