"""What is still to do; no torch, so that a suite that is done says so at once."""

from __future__ import annotations

from collections.abc import Sequence

from bench.details import DetailSpec
from bench.plan import Device, Plan, cost_specs
from bench.records.details import FormsResult, MemoryResult
from bench.records.schema import Record
from bench.records.store import Store
from bench.specs import CostSpec, ModelSpec, RunSpec
from bench.staleness import Staleness
from bench.suite import Suite
from bench.suite_details import detail_specs


def pending(plan: Plan, store: Store, *, refresh: bool) -> list[RunSpec]:
    """The runs still to do; with ``refresh`` those whose record is stale count as not done."""
    return [spec for spec in plan.runs if not is_done(spec, store, refresh=refresh)]


def pending_costs(
    suite: Suite, models: Sequence[ModelSpec], device: Device, store: Store, *, refresh: bool
) -> list[CostSpec]:
    """Those of the models that were not measured on this machine yet."""
    wanted = cost_specs(suite, device, models)
    return [spec for spec in wanted if not is_done(spec, store, refresh=refresh)]


def pending_details(
    suite: Suite, models: Sequence[ModelSpec], device: Device, store: Store, *, refresh: bool
) -> list[DetailSpec]:
    """The cells of a full measurement of the models that were not measured here yet."""
    wanted = detail_specs(suite, device.kind, device.name, models)
    return [spec for spec in wanted if not is_done(spec, store, refresh=refresh)]


def is_done(spec: RunSpec | CostSpec | DetailSpec, store: Store, *, refresh: bool) -> bool:
    """Whether a finished record and its predictions are there; a failed one is tried again."""
    record = store.load(spec.id)
    if record is None or record.status != "done" or not store.has_predictions(record):
        return False
    if not refresh:
        return True
    fresh = not Staleness.load(store.root).stale(spec, record.provenance)
    return fresh and not _worth_another_try(record)


def _worth_another_try(record: Record) -> bool:
    """A measurement that a loaded machine disturbed, or of which a part could not be had."""
    found = record.cost or record.detail
    if found is not None and not isinstance(found, MemoryResult) and found.noisy:
        return True
    if isinstance(found, FormsResult):
        return any(timing.failure for timing in found.timings)
    return isinstance(found, MemoryResult) and found.training_failure is not None
