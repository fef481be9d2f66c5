"""What may be said of two models over seeds: better, worse, equivalent, or undecided.

*Equivalent*: two one-sided tests (Schuirmann 1987) place the difference inside the region of
practical equivalence, that is, the 90 % interval lies inside it. *Better*, *worse*: the two-sided
test excludes zero. A difference that is shown and shown to be too small to matter is equivalent.
All else is *undecided*: absence of evidence is not a finding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bench.statistics.holm import holm
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.over_seeds import SeedDifference, difference_over_seeds
from bench.statistics.power import ALPHA, MOST_SEEDS, pairs_to_decide, smallest_detectable
from bench.statistics.wilcoxon import smallest_wilcoxon_p, wilcoxon_p

REGION = 0.005  # half a point of accuracy: what no reader would choose a model by

Word = Literal["better", "worse", "equivalent", "undecided"]
Test = Literal["t", "wilcoxon"]


@dataclass(frozen=True)
class Verdict:
    """What may be said of first against second, over seeds, on the given test images.

    Attributes:
        word: the whole statement.
        because: one sentence.
        difference: mean difference with its 95 % t interval over seeds.
        equivalence: the 90 % interval that must lie within ``± region`` to be equivalent.
        p: two-sided, of no difference, by ``test``; after :func:`over_family` Holm's.
        p_equivalence: of the difference lying outside the region (always by t).
        smallest_p: the least ``p`` that so many seeds could reach by ``test`` (t has no bound).
        wilcoxon_smallest_p: what a test without the assumption of normality could reach.
        pairs: how many seeds both models have.
        spread: standard deviation of their differences, None where it is unknown or zero.
        detectable: the smallest true difference found with a power of 80 %, given this spread.
        further_seeds: how many more pairs would decide it with a power of 80 % if the difference
            and spread seen were the truth; None where it is decided, or not to be known.
    """

    word: Word
    because: str
    difference: IntervalEstimate
    equivalence: tuple[float, float] | None
    region: float
    test: Test
    p: float | None
    p_equivalence: float | None
    smallest_p: float
    wilcoxon_smallest_p: float
    pairs: int
    spread: float | None
    detectable: float | None = None
    further_seeds: int | None = None


def verdict_over_seeds(
    first: Mapping[int, float],
    second: Mapping[int, float],
    *,
    region: float = REGION,
    test: Test = "t",
    alpha: float = ALPHA,
    advise: bool = True,
) -> Verdict:
    """Judge ``first`` against ``second`` by their scores of each seed on the same test images.

    Args:
        region: half the width of practical equivalence, in the unit of the scores.
        test: ``t`` takes the mean of the differences for normal; ``wilcoxon`` only takes them for
            symmetric, needs shared seeds, and cannot decide on fewer than six of them.
        advise: also work out the detectable difference and the further seeds, which takes longer.

    Raises:
        ValueError: a negative region.
    """
    if region < 0:
        raise ValueError(f"a region of equivalence is 0 or more wide, got {region:g}")
    found = difference_over_seeds(first, second, 1 - alpha)
    attainable = smallest_wilcoxon_p(len(found.differences))
    p = _p_of_t(found) if test == "t" else _p_of_wilcoxon(found)
    bare = Verdict(
        word="undecided",
        because="",
        difference=found.estimate,
        equivalence=found.interval(1 - 2 * alpha),
        region=region,
        test=test,
        p=p,
        p_equivalence=_p_of_equivalence(found, region),
        smallest_p=0.0 if test == "t" and found.error is not None else attainable,
        wilcoxon_smallest_p=attainable,
        pairs=len(found.differences),
        spread=_spread(found),
    )
    worded = _worded(bare, alpha)
    return _advised(worded, alpha) if advise else worded


def over_family(
    verdicts: Sequence[Verdict], alpha: float = ALPHA, *, advise: bool = True
) -> list[Verdict]:
    """The same verdicts as one declared family: Holm over all tests of difference, and over all
    tests of equivalence; words are then given anew. Intervals stay those of single comparisons;
    advice on further seeds is for Bonferroni's level, which is a little more than Holm asks."""
    differ = holm([verdict.p for verdict in verdicts])
    equal = holm([verdict.p_equivalence for verdict in verdicts])
    corrected = [
        replace(verdict, p=p, p_equivalence=p_equal)
        for verdict, p, p_equal in zip(verdicts, differ, equal, strict=True)
    ]
    worded = [_worded(verdict, alpha) for verdict in corrected]
    share = alpha / max(1, sum(p is not None for p in differ))
    return [_advised(verdict, share) for verdict in worded] if advise else worded


def _p_of_t(found: SeedDifference) -> float | None:
    above, below = found.p_beyond(0.0, above=True), found.p_beyond(0.0, above=False)
    return None if above is None or below is None else min(1.0, 2 * min(above, below))


def _p_of_wilcoxon(found: SeedDifference) -> float | None:
    gaps = np.array(found.differences)
    return wilcoxon_p(gaps) if len(gaps) > 1 and gaps.any() else None


def _p_of_equivalence(found: SeedDifference, region: float) -> float | None:
    lower, upper = found.p_beyond(-region, above=True), found.p_beyond(region, above=False)
    return None if lower is None or upper is None else max(lower, upper)


def _spread(found: SeedDifference) -> float | None:
    if len(found.differences) < 2 or found.error is None:
        return None
    return float(np.std(found.differences, ddof=1))


def _worded(verdict: Verdict, alpha: float) -> Verdict:
    """The word that the p values allow, with its reason."""
    if verdict.difference.value is None or verdict.difference.low is None:
        return replace(verdict, word="undecided", because=verdict.difference.blank or "no data")
    if verdict.p_equivalence is not None and verdict.p_equivalence <= alpha:
        return replace(
            verdict, word="equivalent", because="the difference is shown to lie inside the region"
        )
    if verdict.p is None:
        return replace(verdict, word="undecided", because=f"no {verdict.test} test of these pairs")
    if verdict.smallest_p > alpha:
        reason = f"these seeds cannot give a p below {verdict.smallest_p:.3g}"
        return replace(verdict, word="undecided", because=reason)
    if verdict.p <= alpha:
        word: Word = "better" if verdict.difference.value > 0 else "worse"
        return replace(verdict, word=word, because="no difference is excluded")
    return replace(
        verdict, word="undecided", because="neither no difference nor one that matters is excluded"
    )


def _advised(verdict: Verdict, alpha: float) -> Verdict:
    """What the sample could have found; how many more pairs would decide what is undecided."""
    if verdict.spread is None or verdict.difference.value is None:
        return verdict
    spread, pairs = verdict.spread, verdict.pairs
    told = replace(
        verdict, detectable=smallest_detectable(spread, pairs, alpha), further_seeds=None
    )
    if verdict.word != "undecided":
        return told
    wanted = pairs_to_decide(verdict.difference.value, spread, verdict.region, alpha)
    if wanted is None:
        reason = f"{verdict.because}; more than {MOST_SEEDS} seeds would be needed"
        return replace(told, because=reason)
    if verdict.test == "wilcoxon":  # 3/π as efficient as t for normal differences, and attainable
        wanted = max(math.ceil(wanted * math.pi / 3), math.ceil(1 - math.log2(alpha)))
    return replace(told, further_seeds=max(1, wanted - pairs))
