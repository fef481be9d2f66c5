"""Cost measurements of a suite's models: those still to make, made together, recorded each."""

from __future__ import annotations

from collections.abc import Callable

from bench.measure.cost import CostFailure, measure_costs
from bench.plan import Device, cost_specs
from bench.provenance import source_digest
from bench.records.schema import SuiteSeen
from bench.records.store import Store
from bench.run.recording import Clock, record_cost
from bench.specs import CostSpec
from bench.suite import Cell, Suite

COST_SEED = 0
"""Weights, inputs and the order of rounds of a measurement; no result of a training rests on it."""


def pending_costs(
    suite: Suite, cells: tuple[Cell, ...], device: Device, store: Store, *, refresh: bool
) -> list[CostSpec]:
    """The models of these cells that were not measured on this machine yet."""
    models = {cell.model.name: cell.model for cell in cells}.values()
    todo = []
    for spec in cost_specs(suite, device, models):
        record = store.load(spec.id)
        fresh = record is not None and record.status == "done"
        if fresh and refresh and record is not None:
            fresh = record.provenance.source_digest == source_digest(spec)
        if not fresh:
            todo.append(spec)
    return todo


def measure_pending(
    suite: Suite, todo: list[CostSpec], store: Store, on_progress: Callable[[str, float], None]
) -> int:
    """Measure the models in turn in one process and record each; how many failed.

    They are timed together, since only models timed side by side can be compared: an interruption
    therefore loses the round.
    """
    if not todo:
        return 0
    clock = Clock()
    outcomes = measure_costs(
        todo,
        seconds_per_model=suite.settings.cost.seconds_per_model,
        seed=COST_SEED,
        on_progress=on_progress,
    )
    seen = SuiteSeen(name=suite.name, seeds=suite.seeds)
    failed = 0
    for spec, outcome in zip(todo, outcomes, strict=True):
        if isinstance(outcome, CostFailure):
            failed += 1
            record_cost(
                spec, outcome.reason, status=outcome.status, store=store, suite=seen, clock=clock
            )
        else:
            record_cost(spec, outcome, store=store, suite=seen, clock=clock)
    return failed
