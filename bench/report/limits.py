"""Throughput beside the machine's own limits: arithmetic, memory, calls of operators."""

from __future__ import annotations

import math

import numpy as np

from bench.details import MachineSpec, ScalingSpec
from bench.records.details import MachineResult, ScalingResult
from bench.records.schema import CostResult
from bench.report.collect import cost_of
from bench.report.context import Context
from bench.report.cost_notes import cost_sentences
from bench.report.detail_cells import cells, flat
from bench.report.table.model import Row
from bench.report.text import BLANK, rate
from bench.specs import CostSpec

BOUND_BY_CALLS = 0.5  # share of a pass above which calling operators is what limits it


def limit_rows(context: Context) -> list[Row]:
    """How far from the machine's limits each model runs, and which of them is nearest."""
    rows: list[Row] = []
    limits = {
        (spec.device_name, spec.threads): record.detail
        for record, spec in cells(context, MachineSpec)
    }
    for (name, _), record in context.collected.costs.items():
        spec, cost = record.spec, cost_of(record)
        assert isinstance(spec, CostSpec)
        machine = limits.get((spec.device_name, spec.threads))
        if not isinstance(machine, MachineResult) or cost.bytes_moved is None:
            continue
        peak = machine.product_macs_per_s.get(spec.precision)
        macs_s = cost.macs * cost.throughput_images_per_s_median
        bytes_s = cost.bytes_moved * cost.throughput_images_per_s_median / spec.batch_size
        arithmetic = macs_s / peak if peak else math.nan
        memory = bytes_s / machine.copy_bytes_per_s
        fixed = _fixed_share(context, spec, cost, machine)
        nearest = "memory" if memory > arithmetic else "arithmetic"
        if math.isnan(arithmetic):
            nearest = BLANK  # the machine's product in this precision is not known
        bound = fixed > BOUND_BY_CALLS
        nearest += ", calls at batch 1" if bound else ""
        told = {
            "measured on": (spec.device_name, None),
            "GMACs/s": (rate(macs_s / 1e9), macs_s / 1e9),
            "of the product's": _share(arithmetic),
            "GB/s": (rate(bytes_s / 1e9), bytes_s / 1e9),
            "of the copy's": _share(memory),
            "operators a pass": (str(cost.operator_calls), cost.operator_calls),
            "fixed, of p50": _share(fixed),
        }
        row = {"model": context.cell(name, None, [record], cost_sentences(context, record))}
        row |= {key: context.cell(*one, [record]) for key, one in told.items()}
        notes = [_CALLS] if bound else []
        rows.append(row | {"nearest limit": context.cell(nearest, None, [record], notes)})
    return rows


def _fixed_share(
    context: Context, spec: CostSpec, cost: CostResult, machine: MachineResult
) -> float:
    """What a pass at batch 1 costs however small the image, as a share of p50.

    The time at the smallest size that was timed, less its arithmetic at the product's rate and
    the weights read once at the copy's; NaN where no size was timed, or in another precision.
    """
    for record, scaling in cells(context, ScalingSpec):
        place = (scaling.model, scaling.device_name, scaling.threads, scaling.channels)
        same = place == (spec.model, spec.device_name, spec.threads, spec.channels)
        same = same and spec.precision == "float32"  # in which growth is timed
        if same and isinstance(record.detail, ScalingResult):
            timed = [point for point in record.detail.over_sizes if point.rounds_s]
            peak = machine.product_macs_per_s.get("float32")
            if not timed or not peak:
                break
            macs = cost.macs * (timed[0].image_size / spec.image_size) ** 2
            work_s = macs / peak + cost.weights_bytes / machine.copy_bytes_per_s
            fixed_s = float(np.median(flat(timed[0].rounds_s))) - work_s
            return min(1.0, max(0.0, fixed_s / cost.latency_s_p50))
    return math.nan


_CALLS = (
    "More than half of a pass at batch 1 is the same however small the image: it goes into calling "
    "operators, from Python or as kernel launches, not into arithmetic. A faster device would not "
    "make it much faster; torch.compile, ONNX Runtime or CUDA graphs might."
)


def limits_sentence(context: Context) -> str:
    """What the machine reached in a product, a copy and a call; nothing where not measured."""
    sentences = []
    for record, spec in cells(context, MachineSpec):
        found = record.detail
        if not isinstance(found, MachineResult):
            continue
        products = ", ".join(
            f"{rate(macs / 1e9)} GMACs/s in {precision}"
            for precision, macs in found.product_macs_per_s.items()
        )
        doubt = "".join(
            f" ({what})"
            for what, holds in (
                ("noisy", found.noisy),
                ("stale", record.id in context.collected.stale),
            )
            if holds
        )
        sentences.append(
            f"{spec.device_name}, {spec.threads} threads: a large matrix product reaches "
            f"{products}; a large copy {rate(found.copy_bytes_per_s / 1e9)} GB/s read and written; "
            f"one operator on one element takes {found.operator_call_s * 1e6:.1f} µs{doubt}."
        )
    return " ".join(sentences)


def _share(share: float) -> tuple[str, float | None]:
    return (BLANK, None) if math.isnan(share) else (f"{100 * share:.0f} %", 100 * share)
