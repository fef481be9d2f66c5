"""From numbers to verdicts; pure, so that raw times recorded once can be judged many times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from bench.regress.file import Limit, RunTime
from bench.regress.record import ProcessRow, TimedRow
from bench.statistics.timings import Estimate, speed_ratio

Told = Literal["pass", "regression", "too noisy"]


@dataclass(frozen=True)
class Judged:
    """A ratio ``candidate / baseline`` (above 1 is worse), and what it is worth.

    Attributes:
        floor: how far two copies of the baseline were seen to differ in this job.
    """

    ratio: Estimate
    floor: float
    verdict: Told


def judge_times(row: TimedRow, spec: RunTime) -> Judged:
    """A row of run time from its rounds.

    Looks are taken after each block from ``first_blocks`` to ``most_blocks``: the interval's error
    is divided among them (Bonferroni).
    """
    looks = spec.most_blocks - spec.first_blocks + 1
    level = 1 - (1 - spec.level) / looks
    copies = speed_ratio(row.baseline_s, row.again_s, level)
    floor = max(abs(copies.low - 1), abs(copies.high - 1))
    ratio = speed_ratio(row.baseline_s, row.candidate_s, level)
    return Judged(ratio, floor, told(ratio, floor, spec.limit))


def judge_process(row: ProcessRow, limit: Limit) -> Judged:
    """Fresh processes in turn: medians, and the extremes as the interval.

    With n processes a side, one side lies wholly above the other by chance once in C(2n, n) tries.
    """
    first, second = row.baseline, row.candidate
    if min(first) <= 0:  # less than can be told: nothing to take a share of
        return Judged(Estimate(1.0, 0.0, math.inf), math.inf, "too noisy")
    ratio = Estimate(
        median(second) / median(first), min(second) / max(first), max(second) / min(first)
    )
    floor = max(first) / median(first) - 1
    return Judged(ratio, floor, told(ratio, floor, limit))


def told(ratio: Estimate, floor: float, limit: Limit) -> Told:
    """Regression: the whole interval above the floor, and by as much as matters.

    A pass must have been able to fail: an effect of ``must_find`` is ruled out, and the copies of
    the baseline themselves differ by less than that.
    """
    if ratio.low > 1 + floor and ratio.value > 1 + limit.minimum_effect:
        return "regression"
    if ratio.high < 1 + limit.must_find and floor < limit.must_find:
        return "pass"
    return "too noisy"


def relative_to_yardstick(row: TimedRow) -> float:
    """Median over rounds of the candidate's seconds over the yardstick's."""
    return _paired(row.yardstick_s, row.candidate_s)


def _paired(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> float:
    return float(median(median(b) / median(a) for a, b in zip(first, second, strict=True)))
