"""A full cost measurement cell by cell: each is recorded as soon as it is done, and none twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.details import DetailSpec, FormsSpec, MemorySpec, ScalingSpec
from bench.measure.building import release
from bench.measure.form_timing import measure_forms
from bench.measure.limits import measure_limits
from bench.measure.memory import measure_memory
from bench.measure.scaling import measure_scaling
from bench.provenance import commit, source_digest
from bench.records.details import DetailResult
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.recording import Clock, record_detail
from bench.suite import Suite

DETAIL_SEED = 0
"""Weights, inputs and the order of rounds; no result of a training rests on it."""


def measure_details(
    suite: Suite,
    todo: Sequence[DetailSpec],
    store: Store,
    on_progress: Callable[[str, float], None],
    on_done: Callable[[int, Record], None] = lambda number, record: None,
) -> int:
    """Measure the cells one after the other; how many failed. An interruption loses one cell."""
    failed = 0
    seen = SuiteSeen(name=suite.name, seeds=suite.seeds)
    for number, spec in enumerate(todo):

        def within(doing: str, done: float, before: int = number) -> None:
            on_progress(doing, (before + min(1.0, done)) / len(todo))

        within(spec.label, 0.0)
        source_digest(spec)  # of the code as it is loaded now, whatever is edited meanwhile
        commit()
        clock = Clock()
        outcome: DetailResult | Exception
        try:
            outcome = _measure(spec, suite, within)
        except Exception as error:  # one cell's failure is its record; the others go on
            outcome = error.with_traceback(None)  # its frames hold what the cell had in memory
            failed += 1
        record = record_detail(spec, outcome, store=store, suite=seen, clock=clock)
        del outcome
        release(spec.device)
        on_done(number + 1, record)
    return failed


def _measure(
    spec: DetailSpec, suite: Suite, on_progress: Callable[[str, float], None]
) -> DetailResult:
    seconds = suite.settings.cost.full.seconds_per_form
    if isinstance(spec, FormsSpec):
        return measure_forms(
            spec, seconds_per_form=seconds, seed=DETAIL_SEED, on_progress=on_progress
        )
    if isinstance(spec, MemorySpec):
        return measure_memory(spec, seed=DETAIL_SEED)
    if isinstance(spec, ScalingSpec):
        return measure_scaling(
            spec, seconds_per_point=seconds / 2, seed=DETAIL_SEED, on_progress=on_progress
        )
    return measure_limits(spec)
