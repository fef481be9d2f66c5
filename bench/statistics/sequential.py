"""Looking again after more pairs, with the error of all looks together under control.

The error α is spent by Lan and DeMets (1983, Biometrika 70:659) with their function after Pocock,
α(t) = α·ln(1 + (e − 1)·t) at the share t of the pairs planned. Look k tests at the level
α(t_k) − α(t_{k−1}), by Student's t over its pairs (the significance-level approach of Jennison and
Turnbull 2000, *Group Sequential Methods*, section 4.4). Taking the increments as they are is a
union bound: whatever the looks have in common, the errors add up to α at most.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import stats

Decision = Literal["not inferior", "inferior", "undecided"]


@dataclass(frozen=True)
class Look:
    """What the pairs so far say of ``candidate − baseline``.

    Attributes:
        mean: of the paired differences; higher is better.
        low, high: one-sided bounds, each at this look's share of α; None where the pairs show no
            spread, in which case the mean alone decides.
        level: what this look may err with, on either side.
    """

    pairs: int
    mean: float
    low: float | None
    high: float | None
    level: float
    decision: Decision


def spent(alpha: float, share: float) -> float:
    """How much of ``alpha`` may be spent by the time a ``share`` of the pairs is in.

    >>> round(spent(0.05, 0.5), 4), round(spent(0.05, 1.0), 4)
    (0.031, 0.05)
    """
    return alpha * math.log(1 + (math.e - 1) * min(1.0, share))


def levels(alpha: float, looks: Sequence[int]) -> list[float]:
    """The level of each look, given how many pairs each will have; they sum to ``alpha``.

    Raises:
        ValueError: looks that do not grow from 2 pairs on.
    """
    if not looks or looks[0] < 2 or any(b <= a for a, b in itertools.pairwise(looks)):
        raise ValueError(f"looks must grow from 2 pairs on, got {list(looks)}")
    spending = [0.0, *(spent(alpha, pairs / looks[-1]) for pairs in looks)]
    return [after - before for before, after in itertools.pairwise(spending)]


def look_at(differences: Sequence[float], *, margin: float, level: float) -> Look:
    """Judge paired differences at one look.

    *Not inferior*: the lower bound lies above ``−margin``. *Inferior*: the upper bound lies below 0
    and the mean at or below ``−margin``: worse, and by as much as matters. With equal models the
    second errs at most as often as ``level``; with models exactly a margin apart so does the first.

    Args:
        differences: candidate minus baseline, one by pair.
        margin: how much worse still counts as not inferior, above 0.
        level: of this look.

    Raises:
        ValueError: fewer than two pairs, or a margin that is not above 0.
    """
    if len(differences) < 2 or margin <= 0:
        raise ValueError(f"need 2 pairs and a margin, got {len(differences)} and {margin:g}")
    mean = statistics.fmean(differences)
    if max(differences) - min(differences) < 1e-12:  # the same bits on both sides, or a constant
        decision: Decision = "not inferior" if mean > -margin else "inferior"
        return Look(len(differences), mean, None, None, level, decision)
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    half = float(stats.t.ppf(1 - level, len(differences) - 1)) * error
    low, high = mean - half, mean + half
    decision = "undecided"
    if low > -margin:
        decision = "not inferior"
    elif high < 0 and mean <= -margin:
        decision = "inferior"
    return Look(len(differences), mean, low, high, level, decision)
