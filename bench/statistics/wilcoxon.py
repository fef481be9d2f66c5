"""Wilcoxon's signed-rank test, exact with ties too (Wilcoxon 1945; Pratt & Gibbons 1981).

SciPy's exact law holds without ties only; means over seeds of small test splits do tie.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from bench.statistics.decisions import Floats

_EXACT = 25  # differences; beyond, the normal law is close


def wilcoxon_p(gaps: Floats) -> float:
    """Two-sided p over signs of the non-zero differences, exact, ties by mid-ranks."""
    gaps = gaps[gaps != 0]
    ranks = stats.rankdata(np.abs(gaps))
    if len(gaps) > _EXACT:
        return float(stats.wilcoxon(gaps, method="approx").pvalue)
    # the law of the rank sum under random signs, in half ranks so that ties stay whole
    steps = np.rint(2 * ranks).astype(np.int64)
    ways = np.zeros(int(steps.sum()) + 1)
    ways[0] = 1.0
    for step in steps:
        ways[step:] += ways[:-step].copy()
    seen = int(steps[gaps > 0].sum())
    total = 2.0 ** len(gaps)
    tail = min(ways[: seen + 1].sum(), ways[seen:].sum()) / total
    return float(min(1.0, 2 * tail))


def smallest_wilcoxon_p(pairs: int) -> float:
    """The least two-sided p of Wilcoxon's signed-rank test: all pairs agree."""
    return min(1.0, 2.0 ** (1 - pairs))
