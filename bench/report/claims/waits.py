"""How many seeds an undecided claim waits for."""

from __future__ import annotations

import math

from scipy import stats

from bench.statistics.differences import LEVEL, Difference

MOST_SEEDS = 1000


def seeds_to_decide(found: Difference, *, least: float, most: float) -> int | None:
    """Seeds in all whose interval would clear one of the criteria, were mean and spread the truth.

    The mean stays where it is and the half width shrinks as t(n - 1) / √n, so that every other
    such sample decides: a power of one half. None: more than ``MOST_SEEDS``.

    Args:
        found: the undecided difference, with an interval.
        least, most: the claim holds above ``least`` and fails below ``most``.
    """
    assert found.low is not None
    assert found.high is not None
    room = max(found.mean - least, most - found.mean)
    spread = (found.high - found.low) / 2 / _half(found.pairs)
    enough = (n for n in range(found.pairs + 1, MOST_SEEDS + 1) if spread * _half(n) < room)
    return next(enough, None)


def waits_for(found: Difference, *, least: float, most: float) -> str:
    """The same in words, to end a sentence with, and which way they would decide."""
    seeds = seeds_to_decide(found, least=least, most=most)
    told = f"more than {MOST_SEEDS}" if seeds is None else f"{seeds}"
    way = "support" if found.mean - least >= most - found.mean else "refute"
    return (
        f"were this mean and spread the truth, {told} seeds in all would {way} it in about half of "
        "such experiments"
    )


def _half(n: int) -> float:
    """Half the interval's width for a spread of one."""
    return float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) / math.sqrt(n)
