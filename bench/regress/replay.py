"""The gate run many times on raw times that were recorded between real runs.

A replay draws blocks of rounds, with replacement, from those of identical trees, makes every pass
of the candidate slower by a known share, and judges block by block as the gate does.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from bench.regress.file import Limit, RunTime
from bench.regress.judge import Told, judge_process, judge_times
from bench.regress.record import ProcessRow, TimedRow

_LANES = ("baseline_s", "again_s", "candidate_s")


@dataclass(frozen=True)
class Counts:
    """How many replays ended how."""

    regressions: int
    undecided: int
    replays: int


def replay_rows(
    recorded: Sequence[Sequence[TimedRow]],
    spec: RunTime,
    *,
    share: float,
    replays: int,
    rng: np.random.Generator,
) -> Counts:
    """Replays of rows together: a regression in any is one, as the gate would say.

    Args:
        recorded: for each row, its tries on identical trees.
        share: by which the candidate is made slower in every row.
    """
    pools = [[block for one in tries for block in _blocks(one)] for tries in recorded]
    found: Counter[Told] = Counter()
    for _ in range(replays):
        told = {_replayed(pool, spec, share, rng) for pool in pools}
        found[_worst(told)] += 1
    return Counts(found["regression"], found["too noisy"], replays)


def replay_processes(
    recorded: Sequence[Sequence[ProcessRow]],
    limits: Sequence[Limit],
    *,
    share: float,
    replays: int,
    rng: np.random.Generator,
) -> Counts:
    """The same for rows of fresh processes: as many a side as a try had, drawn anew."""
    found: Counter[Told] = Counter()
    for _ in range(replays):
        told = set()
        for tries, limit in zip(recorded, limits, strict=True):
            drawn = tries[int(rng.integers(len(tries)))]
            values = np.array([*drawn.baseline, *drawn.candidate])
            mixed = rng.permutation(values)  # both trees are the same: which is which is chance
            half = len(drawn.baseline)
            planted = [value * (1 + share) for value in mixed[half:].tolist()]
            row = drawn.model_copy(update={"baseline": mixed[:half].tolist(), "candidate": planted})
            told.add(judge_process(row, limit).verdict)
        found[_worst(told)] += 1
    return Counts(found["regression"], found["too noisy"], replays)


def _worst(told: set[Told]) -> Told:
    order: tuple[Told, ...] = ("regression", "too noisy", "pass")
    return next(verdict for verdict in order if verdict in told)


def _replayed(
    pool: Sequence[TimedRow], spec: RunTime, share: float, rng: np.random.Generator
) -> Told:
    drawn: list[TimedRow] = []
    for number in range(spec.most_blocks):
        drawn.append(_slower(pool[int(rng.integers(len(pool)))], share))
        if number + 1 >= spec.first_blocks:
            verdict = judge_times(reduce(_joined, drawn), spec).verdict
            if verdict != "too noisy":
                return verdict
    return "too noisy"


def _blocks(row: TimedRow) -> list[TimedRow]:
    ends = np.cumsum([0, *row.blocks]).tolist()
    return [
        row.model_copy(
            update={"blocks": [stop - start]}
            | {lane: getattr(row, lane)[start:stop] for lane in _LANES}
        )
        for start, stop in itertools.pairwise(ends)
    ]


def _joined(first: TimedRow, second: TimedRow) -> TimedRow:
    lanes = {lane: [*getattr(first, lane), *getattr(second, lane)] for lane in _LANES}
    return first.model_copy(update={"blocks": [*first.blocks, *second.blocks]} | lanes)


def _slower(row: TimedRow, share: float) -> TimedRow:
    times = [[one * (1 + share) for one in passes] for passes in row.candidate_s]
    return row.model_copy(update={"candidate_s": times})
