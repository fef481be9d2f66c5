"""Cost measurements of a suite's models: those still to make, made together, recorded each."""

from __future__ import annotations

from collections.abc import Callable

from bench import models
from bench.errors import InputError
from bench.measure.cost import CostFailure, measure_costs
from bench.provenance import commit, source_digest
from bench.records.schema import SuiteSeen
from bench.records.store import Store
from bench.run.recording import Clock, record_cost
from bench.specs import CostSpec
from bench.suite import Suite

COST_SEED = 0
"""Weights, inputs and the order of rounds of a measurement; no result of a training rests on it."""


def measure_pending(
    suite: Suite, todo: list[CostSpec], store: Store, on_progress: Callable[[str, float], None]
) -> int:
    """Measure the models in turn in one process and record each; how many failed.

    They are timed together, since only models timed side by side can be compared: an interruption
    therefore loses the round.
    """
    if not todo:
        return 0
    for spec in todo:
        source_digest(spec)  # of the code as it is loaded now, whatever is edited meanwhile
    commit()
    clock = Clock()
    seen = SuiteSeen(name=suite.name, seeds=suite.seeds)
    fitting, failed = [], 0
    for spec in todo:
        try:
            models.check(spec.model, spec.image_size)
        except InputError as error:  # this size does not suit it: a blank with its reason
            failed += 1
            record_cost(spec, error.problem, status="failed", store=store, suite=seen, clock=clock)
        else:
            fitting.append(spec)
    outcomes = measure_costs(
        fitting,
        seconds_per_model=suite.settings.cost.seconds_per_model,
        seed=COST_SEED,
        on_progress=on_progress,
    )
    for spec, outcome in zip(fitting, outcomes, strict=True):
        if isinstance(outcome, CostFailure):
            failed += 1
            record_cost(
                spec, outcome.reason, status=outcome.status, store=store, suite=seen, clock=clock
            )
        else:
            record_cost(spec, outcome, store=store, suite=seen, clock=clock)
    return failed
