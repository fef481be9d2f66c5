"""Rows of run time: both trees and a second copy of the baseline, pass by pass in turn."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from bench.errors import InputError, one_line
from bench.measure.load import LoadWatch
from bench.measure.timing import Lane, run_rounds, threads
from bench.regress.file import Row, RunTime
from bench.regress.judge import judge_times
from bench.regress.lanes import lane, yardstick
from bench.regress.processes import Probe, ProbeFailed
from bench.regress.record import TimedRow
from bench.regress.twin import Twin

LANES = ("baseline", "again", "candidate")
"""Where there is no code of a baseline, the candidate alone, beside the yardstick."""


def time_row(
    row: Row,
    twins: dict[str, Twin],
    spec: RunTime,
    *,
    thread_count: int,
    rng: np.random.Generator,
    deadline: float,
    on_block: Callable[[int], None] = lambda block: None,
) -> TimedRow:
    """Blocks of rounds until the row is decided, its blocks are used up or the time is.

    Each block builds every lane anew, in an order drawn anew: where a network lies in memory makes
    about 1 % of its speed, and that luck must favour neither tree.

    Args:
        twins: by the names of ``LANES``, or the candidate alone.
        deadline: of ``time.monotonic``; the first blocks are timed whatever it says.

    Raises:
        InputError: a tree has no such model, or it fails while it is timed.
    """
    found = TimedRow(label=row.label, metric=row.metric, model=row.model, blocks=[])
    with threads(thread_count):
        for number in range(spec.most_blocks):
            on_block(number)
            started = time.monotonic()
            found = _with_block(found, row, twins, spec, thread_count, rng)
            took = time.monotonic() - started
            if number + 1 < spec.first_blocks:
                continue
            decided = "baseline" not in twins or judge_times(found, spec).verdict != "too noisy"
            if decided or time.monotonic() + took > deadline:
                break
    return found


def _with_block(
    found: TimedRow,
    row: Row,
    twins: dict[str, Twin],
    spec: RunTime,
    thread_count: int,
    rng: np.random.Generator,
) -> TimedRow:
    lanes: dict[str, Lane] = {}
    names = [*twins, "yardstick"]
    failures: dict[str, str] = {}
    for place in rng.permutation(len(names)):
        name = names[place]
        try:
            if name == "yardstick":
                lanes[name] = yardstick(row, spec)
            else:
                lanes[name] = lane(name, twins[name], row, spec, thread_count)
        except InputError:
            raise
        except Exception as error:  # the tree's code, in this process
            failures[name] = f"{type(error).__name__}: {one_line(error)}"
    _check(failures, row, twins)
    watch = LoadWatch()
    run_rounds(list(lanes.values()), rounds=row.rounds, seconds_per_lane=0.0, rng=rng, settle=False)
    failed = {name: one.failure for name, one in lanes.items() if one.failure is not None}
    _check(failed, row, twins)
    return found.model_copy(
        update={
            "blocks": [*found.blocks, row.rounds],
            "others": [*found.others, watch.stop().others],
            **{
                f"{name}_s": [*getattr(found, f"{name}_s"), *one.rounds_s]
                for name, one in lanes.items()
            },
        }
    )


def _check(failures: dict[str, str], row: Row, twins: dict[str, Twin]) -> None:
    """Refuse lanes that failed; the candidate is to blame where it alone did."""
    if list(failures) == ["candidate"]:
        probe = Probe("run-time", twins["candidate"].tree, {})
        raise ProbeFailed(probe, f"{row.label}: {failures['candidate']}")
    for name, said in failures.items():
        raise InputError(
            f"{row.label}: the {name} fails while it is timed: {said}",
            remedy="run the model alone to see why",
            key="run_time.row",
        )
