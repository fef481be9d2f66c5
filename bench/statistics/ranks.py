"""Several models across several data sets, by their ranks on each.

Demšar 2006 (JMLR 7:1): mean ranks, Friedman's test that all models are alike, Nemenyi's critical
difference. Benavoli, Corani & Mangili 2016 (JMLR 17:5): mean ranks of two models change with the
others in the pool, so pairs are judged by Wilcoxon's signed-rank test with Holm's correction.
A data set is one value a model; seeds are averaged before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from bench.statistics.decisions import Floats
from bench.statistics.holm import holm
from bench.statistics.power import ALPHA
from bench.statistics.wilcoxon import smallest_wilcoxon_p, wilcoxon_p

_ALIKE = 1e-12  # scores closer than this are ties: rounding apart


@dataclass(frozen=True)
class Friedman:
    """Friedman's test, ties corrected; None with the reason where it says nothing."""

    statistic: float | None
    p: float | None
    blank: str | None = None


@dataclass(frozen=True)
class PairAcross:
    """First against second over data sets, by Wilcoxon's signed-rank test.

    Attributes:
        difference: mean over data sets.
        p: two-sided, after Holm over the family.
        smallest_p: the least that one test over so many data sets can give.
        smallest_holm_p: the same after Holm: where it is above the level nothing can be decided.
    """

    difference: float
    p: float
    smallest_p: float
    smallest_holm_p: float
    word: Literal["better", "worse", "undecided"]
    because: str


def mean_ranks(scores: Floats) -> Floats:
    """Mean rank of each model, ``(M,)``; 1 is the highest score, ties share their mid-rank.

    Args:
        scores: ``(D, M)``, data sets × models, finite.

    Raises:
        ValueError: another shape, or a score that is missing.
    """
    return np.asarray(_ranks(scores).mean(axis=0))


def friedman(scores: Floats) -> Friedman:
    """Whether the models of ``scores`` ``(D, M)`` are all alike; χ² with M − 1 degrees of freedom.

    With few data sets χ² is rough (Demšar 2006 asks for D > 10 and M > 5): no fine p is meant.
    """
    ranks = _ranks(scores)
    datasets, models = ranks.shape
    if datasets < 2:
        return Friedman(None, None, f"{datasets} data set shows no spread over data sets")
    if models < 3:
        return Friedman(None, None, f"{models} models: Friedman's test needs three")
    if np.ptp(ranks, axis=1).max() == 0:
        return Friedman(None, None, "all models are tied on every data set")
    found = stats.friedmanchisquare(*ranks.T)
    return Friedman(float(found.statistic), float(found.pvalue))


def critical_difference(models: int, datasets: int, alpha: float = ALPHA) -> float | None:
    """Nemenyi's: mean ranks further apart differ; None for fewer than two of either."""
    if models < 2 or datasets < 2:
        return None
    quantile = float(stats.studentized_range.ppf(1 - alpha, models, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(models * (models + 1) / (6 * datasets))


def groups_not_told_apart(ranks: Floats, difference: float) -> list[tuple[int, ...]]:
    """Largest groups of models whose mean ranks lie within ``difference``, best first.

    Args:
        ranks: ``(M,)`` mean ranks.

    Returns the models' places in ``ranks``; groups overlap, and a model alone is none.
    """
    order = sorted(range(len(ranks)), key=lambda place: (ranks[place], place))
    groups, reached = [], 0
    for start, first in enumerate(order):
        inside = [place for place in order[start:] if ranks[place] - ranks[first] <= difference]
        if len(inside) > 1 and start + len(inside) > reached:
            groups.append(tuple(inside))
            reached = start + len(inside)
    return groups


def wilcoxon_holm(differences: Sequence[Floats], alpha: float = ALPHA) -> list[PairAcross]:
    """Judge each pair of a declared family by its differences first − second ``(D,)``.

    Where all pairs together cannot reach ``alpha``, each is undecided, whatever was seen.

    Raises:
        ValueError: a pair without data sets.
    """
    if any(len(gaps) == 0 for gaps in differences):
        raise ValueError("a pair has no data set in common")
    cleaned = [np.where(np.abs(gaps) < _ALIKE, 0.0, gaps) for gaps in differences]
    adjusted = holm([wilcoxon_p(gaps) for gaps in cleaned])
    return [
        _worded(gaps, p, len(cleaned), alpha)
        for gaps, p in zip(cleaned, adjusted, strict=True)
        if p is not None
    ]


def _worded(gaps: Floats, p: float, pairs: int, alpha: float) -> PairAcross:
    least = smallest_wilcoxon_p(len(gaps))
    least_of_all = min(1.0, pairs * least)
    word: Literal["better", "worse", "undecided"] = "undecided"
    because = "no difference cannot be excluded"
    if least_of_all > alpha:
        reach = f"cannot give a p below {least_of_all:.3g}"
        because = f"{len(gaps)} data sets, after Holm over {pairs} in the family, {reach}"
    elif p <= alpha:
        signed = stats.rankdata(np.abs(gaps)) * np.sign(gaps)
        word, because = "better" if signed.sum() > 0 else "worse", "no difference is excluded"
    return PairAcross(float(gaps.mean()), p, least, least_of_all, word, because)


def _ranks(scores: Floats) -> Floats:
    if scores.ndim != 2 or 0 in scores.shape:
        raise ValueError(f"scores are data sets × models, got shape {scores.shape}")
    if not np.isfinite(scores).all():
        raise ValueError("a model lacks the score of a data set: leave one of them out")
    return np.asarray(stats.rankdata(-np.round(scores, 12), axis=1))
