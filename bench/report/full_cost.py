"""What a full measurement adds: forms, far percentiles, memory, growth, the machine's limits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from bench.details import FormsSpec, MachineSpec, MemorySpec, ScalingSpec
from bench.records.details import (
    DetailResult,
    FormsResult,
    FormTiming,
    MachineResult,
    MemoryResult,
    ScaledPoint,
    ScalingResult,
)
from bench.records.schema import CostResult, Record
from bench.report.accuracy import STALE, Context, Row, cost_marks, marks
from bench.report.collect import cost_of
from bench.report.text import BLANK, milliseconds, rate
from bench.specs import CostSpec
from bench.statistics.timings import Rounds, log_slope, percentile, speed_ratio

SEED = 0  # of the bootstrap of slopes
BOUND_BY_CALLS = 0.5  # share of a pass above which calling operators is what limits it
Kind = TypeVar("Kind", FormsSpec, MemorySpec, ScalingSpec, MachineSpec)
_NOISY = "Noisy: the machine was loaded while measuring."


def forms_rows(context: Context) -> list[Row]:
    """Images/s of each form, and in brackets how many times plain's; one row a model."""
    rows = []
    for record, spec in _cells(context, FormsSpec):
        row = {"model": _name(context, record, spec.model.name), "measured on": spec.device_name}
        result = record.detail
        for form, precision in [
            *((form, "float32") for form in spec.forms),
            *(("channels_last", p) for p in spec.precisions if p != "float32"),
        ]:
            column = form if precision == "float32" else f"{form}, {precision}"
            row[column] = BLANK
            if isinstance(result, FormsResult):
                timing = _timing(result, form, precision)
                plain = _timing(result, "plain", "float32")
                row[column] = _speed(context, timing, plain, spec.batch_size)
        rows.append(row)
    return rows


def latency_rows(context: Context) -> list[Row]:
    """Percentiles at batch 1, plain and in the fastest form in float32; with the sample's size."""
    rows = []
    for record, spec in _cells(context, FormsSpec):
        row = {"model": _name(context, record, spec.model.name), "measured on": spec.device_name}
        result = record.detail
        timed = (
            [t for t in result.timings if t.latency_rounds_s and t.precision == "float32"]
            if isinstance(result, FormsResult)
            else []
        )
        plain = next((t for t in timed if t.form == "plain"), None)
        fastest = min(
            timed, key=lambda t: float(np.median(_flat(t.latency_rounds_s))), default=None
        )
        row |= _percentiles("plain", plain)
        row["fastest form"] = fastest.form if fastest else BLANK
        row |= _percentiles("fastest", fastest)
        rows.append(row)
    return rows


def memory_rows(context: Context) -> list[Row]:
    """Peaks of fresh processes and how they begin."""
    rows = []
    for record, spec in _cells(context, MemorySpec):
        row = {"model": _name(context, record, spec.model.name), "measured on": spec.device_name}
        found = record.detail
        if isinstance(found, MemoryResult):
            training = BLANK
            if found.training_peak_bytes is not None:
                training = _mib(found.training_peak_bytes - found.libraries_bytes)
            elif found.training_failure:
                training += " " + context.notes.mark(f"No training step: {found.training_failure}.")
            row |= {
                "libraries (MiB)": _mib(found.libraries_bytes),
                "inference adds (MiB)": _mib(found.inference_peak_bytes - found.libraries_bytes),
                "training adds (MiB)": training,
                "± by a repeat (MiB)": _mib(found.repeat_difference_bytes),
                "import (s)": f"{found.import_s:.1f}",
                "build (s)": f"{found.build_s:.2f}",
                "first pass (ms)": milliseconds(found.first_forward_s),
                "second (ms)": milliseconds(found.second_forward_s),
            }
        rows.append(row)
    return rows


def scaling_rows(context: Context) -> list[Row]:
    """Exponents of time against pixels and images, and the batch that is fastest an image."""
    rows, rng = [], np.random.default_rng(SEED)
    for record, spec in _cells(context, ScalingSpec):
        row = {"model": _name(context, record, spec.model.name), "measured on": spec.device_name}
        found = record.detail
        if isinstance(found, ScalingResult):
            sizes = [point for point in found.over_sizes if point.rounds_s]
            batches = [point for point in found.over_batches if point.rounds_s]
            row["sizes (px)"] = (
                f"{sizes[0].image_size} to {sizes[-1].image_size}" if sizes else BLANK
            )
            ended = next((p.failure for p in found.over_sizes if p.failure), None)
            if ended:
                row["sizes (px)"] += " " + context.notes.mark(f"Not at every size: {ended}.")
            row["time ∝ pixels to the"] = _exponent(sizes, rng)
            row["of the upper half"] = _exponent(sizes[len(sizes) // 2 :], rng)
            row["memory, smallest to largest (MiB)"] = _memory_span(sizes)
            row["time ∝ images to the"] = _exponent(batches, rng, of_batches=True)
            row |= _best_batch(batches)
            ended = next((p.failure for p in found.over_batches if p.failure), None)
            if ended:
                row["best batch"] += " " + context.notes.mark(f"Not at every batch: {ended}.")
            elif row["best batch"] == str(max(spec.batch_sizes)):
                row["best batch"] = f"≥ {row['best batch']}"  # faster still may lie beyond
        rows.append(row)
    return rows


def limit_rows(context: Context) -> list[Row]:
    """How far from the machine's limits each model runs, and which of them is nearest."""
    rows = []
    limits = {
        (spec.device_name, spec.threads): record.detail
        for record, spec in _cells(context, MachineSpec)
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
        if fixed > BOUND_BY_CALLS:
            nearest += ", calls at batch 1 " + context.notes.mark(_CALLS)
        rows.append(
            {
                "model": name + cost_marks(context, record),
                "measured on": spec.device_name,
                "GMACs/s": rate(macs_s / 1e9),
                "of the product's": _share(arithmetic),
                "GB/s": rate(bytes_s / 1e9),
                "of the copy's": _share(memory),
                "operators a pass": str(cost.operator_calls),
                "fixed, of p50": _share(fixed),
                "nearest limit": nearest,
            }
        )
    return rows


def _fixed_share(
    context: Context, spec: CostSpec, cost: CostResult, machine: MachineResult
) -> float:
    """What a pass at batch 1 costs however small the image, as a share of p50.

    The time at the smallest size that was timed, less its arithmetic at the product's rate and
    the weights read once at the copy's; NaN where no size was timed, or in another precision.
    """
    for record, scaling in _cells(context, ScalingSpec):
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
            fixed_s = float(np.median(_flat(timed[0].rounds_s))) - work_s
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
    for record, spec in _cells(context, MachineSpec):
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


def _cells(context: Context, kind: type[Kind]) -> Iterator[tuple[Record, Kind]]:
    for record in context.collected.details:
        if isinstance(record.spec, kind):
            yield record, record.spec


def _name(context: Context, record: Record, model: str) -> str:
    sentences = []
    result: DetailResult | None = record.detail
    if result is None:
        sentences.append(f"Not measured: {record.reason}.")
    elif not isinstance(result, MemoryResult) and result.noisy:
        sentences.append(_NOISY)
    if record.id in context.collected.stale:
        sentences.append(STALE)
    return model + marks(context, sentences)


def _timing(result: FormsResult, form: str, precision: str) -> FormTiming | None:
    return next((t for t in result.timings if (t.form, t.precision) == (form, precision)), None)


def _speed(
    context: Context, timing: FormTiming | None, plain: FormTiming | None, batch_size: int
) -> str:
    if timing is None:
        return BLANK
    if timing.failure is not None:
        return f"{BLANK} {context.notes.mark(f'{timing.failure}.')}"
    images = rate(batch_size / float(np.median(_flat(timing.rounds_s))))
    if plain is None or not plain.rounds_s or timing is plain:
        return images
    ratio = speed_ratio(timing.rounds_s, plain.rounds_s)
    return f"{images} ({ratio.value:.2f}× [{ratio.low:.2f}, {ratio.high:.2f}])"


def _percentiles(label: str, timing: FormTiming | None) -> Row:
    samples = _flat(timing.latency_rounds_s) if timing else []
    row = {}
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        value = percentile(samples, q)
        row[f"{label} {name} (ms)"] = BLANK if value is None else milliseconds(value)
    return row | {f"{label} passes": str(len(samples))}


def _flat(rounds: Rounds) -> list[float]:
    return [seconds for passes in rounds for seconds in passes]


def _mib(count: int) -> str:
    return f"{count / 2**20:.0f}"


def _share(share: float) -> str:
    return BLANK if math.isnan(share) else f"{100 * share:.0f} %"


def _exponent(
    points: list[ScaledPoint], rng: np.random.Generator, *, of_batches: bool = False
) -> str:
    sizes = [float(p.batch_size if of_batches else p.image_size**2) for p in points]
    if len(set(sizes)) < 2:
        return BLANK
    slope = log_slope(sizes, [point.rounds_s for point in points], rng)
    return f"{slope.value:.2f} [{slope.low:.2f}, {slope.high:.2f}]"


def _memory_span(points: list[ScaledPoint]) -> str:
    peaks = [point.peak_bytes for point in points if point.peak_bytes is not None]
    return f"{_mib(peaks[0])} to {_mib(peaks[-1])}" if peaks else BLANK


def _best_batch(points: list[ScaledPoint]) -> Row:
    speeds = {p.batch_size: p.batch_size / float(np.median(_flat(p.rounds_s))) for p in points}
    best = max(speeds, key=speeds.__getitem__, default=None)
    return {
        "best batch": str(best) if best else BLANK,
        "images/s there": rate(speeds[best]) if best else BLANK,
    }
