"""What a tried design costs, from the cost records of the very same model and arguments."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from bench.records.schema import CostResult, Record
from bench.report.collect import cost_of
from bench.report.text import BLANK, giga
from bench.specs import CostSpec, ModelSpec, deciding
from bench.statistics.timings import Rounds, speed_ratio


def cost_columns(model: ModelSpec, first: ModelSpec, records: Sequence[Record]) -> dict[str, str]:
    """MACs, and how many times as fast as ``first`` where both were timed in the same rounds.

    Empty where ``first`` was not measured: a table then gets no blank columns for it.
    """
    reference, own = _measured(first, records), _measured(model, records)
    if reference is None:
        return {}
    spec = reference.spec
    assert isinstance(spec, CostSpec)
    speed = f"speed ÷ first at {spec.image_size} px"
    cells = {f"MACs (G) at {spec.image_size} px": BLANK, speed: BLANK}
    if own is None or not timed_together(own, reference):
        return cells
    cells[f"MACs (G) at {spec.image_size} px"] = giga(cost_of(own).macs)
    mine, theirs = rounds_of(cost_of(own)), rounds_of(cost_of(reference))
    shared = min(len(mine), len(theirs))
    if own is not reference and shared >= 2:
        ratio = speed_ratio(mine[:shared], theirs[:shared])
        cells[speed] = f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
    return cells


def _measured(model: ModelSpec, records: Sequence[Record]) -> Record | None:
    """The measurement of these arguments at the largest image; the last made, if made twice."""
    found = [
        (record.spec.image_size, record.provenance.started_at, record.id, record)
        for record in records
        if isinstance(record.spec, CostSpec)
        and record.cost is not None
        and deciding(record.spec.model) == deciding(model)
    ]
    return max(found, key=lambda one: one[:3])[3] if found else None


def timed_together(a: Record, b: Record) -> bool:
    """Whether both were timed in one process under the same settings: their rounds are the same."""
    assert isinstance(a.spec, CostSpec)
    assert isinstance(b.spec, CostSpec)
    same = a.spec.model_copy(update={"model": b.spec.model}) == b.spec
    return same and a.provenance.started_at == b.provenance.started_at


def rounds_of(cost: CostResult) -> Rounds:
    """Seconds of each batch, by round."""
    samples = iter(cost.throughput_samples_s)
    return [list(itertools.islice(samples, count)) for count in cost.throughput_rounds]
