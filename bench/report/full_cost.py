"""What a full measurement adds: forms and precisions, far percentiles, memory and cold start."""

from __future__ import annotations

import numpy as np

from bench.details import FormsSpec, MemorySpec
from bench.records.details import (
    FormsResult,
    FormTiming,
    MemoryResult,
)
from bench.records.schema import Record
from bench.report.context import Context
from bench.report.detail_cells import cells, flat, mebibytes, name_of
from bench.report.table.model import Cell, Row
from bench.report.text import BLANK, milliseconds, rate
from bench.statistics.timings import percentile, speed_ratio

CHANGING = "Times were still changing when the warm-up ended."


def forms_rows(context: Context) -> list[Row]:
    """Images/s of each form, and in brackets how many times plain's; one row a model."""
    rows: list[Row] = []
    for record, spec in cells(context, FormsSpec):
        row = _head(context, record, spec)
        result = record.detail
        for form, precision in [
            *((form, "float32") for form in spec.forms),
            *(("channels_last", p) for p in spec.precisions if p != "float32"),
        ]:
            column = form if precision == "float32" else f"{form}, {precision}"
            row[column] = Cell(BLANK, state="missing")
            if isinstance(result, FormsResult):
                timing = _timing(result, form, precision)
                plain = _timing(result, "plain", "float32")
                row[column] = _speed(context, record, timing, plain, spec.batch_size)
        rows.append(row)
    return rows


def latency_rows(context: Context) -> list[Row]:
    """Percentiles at batch 1, plain and in the fastest form in float32; with the sample's size."""
    rows: list[Row] = []
    for record, spec in cells(context, FormsSpec):
        result = record.detail
        timed = (
            [t for t in result.timings if t.latency_rounds_s and t.precision == "float32"]
            if isinstance(result, FormsResult)
            else []
        )
        plain = next((t for t in timed if t.form == "plain"), None)
        fastest = min(timed, key=lambda t: float(np.median(flat(t.latency_rounds_s))), default=None)
        row = _head(context, record, spec) | _percentiles(context, record, "plain", plain)
        form = fastest.form if fastest else BLANK
        row["fastest form"] = context.cell(form, None, [record])
        rows.append(row | _percentiles(context, record, "fastest", fastest))
    return rows


def memory_rows(context: Context) -> list[Row]:
    """Peaks of fresh processes and how they begin."""
    rows: list[Row] = []
    for record, spec in cells(context, MemorySpec):
        row, found = _head(context, record, spec), record.detail
        if isinstance(found, MemoryResult):
            base, trained = found.libraries_bytes, found.training_peak_bytes
            failure = found.training_failure
            told = {
                "libraries (MiB)": _mebibytes(base),
                "inference adds (MiB)": _mebibytes(found.inference_peak_bytes - base),
                "training adds (MiB)": _mebibytes(None if trained is None else trained - base),
                "± by a repeat (MiB)": _mebibytes(found.repeat_difference_bytes),
                "import (s)": (f"{found.import_s:.1f}", found.import_s),
                "build (s)": (f"{found.build_s:.2f}", found.build_s),
                "first pass (ms)": _milliseconds(found.first_forward_s),
                "second (ms)": _milliseconds(found.second_forward_s),
            }
            failed = [f"No training step: {failure}."] if trained is None and failure else []
            notes = {"training adds (MiB)": failed}
            row |= {k: context.cell(*one, [record], notes.get(k, ())) for k, one in told.items()}
        rows.append(row)
    return rows


def _head(context: Context, record: Record, spec: FormsSpec | MemorySpec) -> dict[str, Cell]:
    return {
        "model": name_of(context, record, spec.model.name),
        "measured on": context.cell(spec.device_name, None, [record]),
    }


def _mebibytes(count: int | None) -> tuple[str, float | None]:
    return (BLANK, None) if count is None else (mebibytes(count), count / 2**20)


def _milliseconds(seconds: float | None) -> tuple[str, float | None]:
    return (BLANK, None) if seconds is None else (milliseconds(seconds), 1000 * seconds)


def _timing(result: FormsResult, form: str, precision: str) -> FormTiming | None:
    return next((t for t in result.timings if (t.form, t.precision) == (form, precision)), None)


def _speed(
    context: Context,
    record: Record,
    timing: FormTiming | None,
    plain: FormTiming | None,
    batch_size: int,
) -> Cell:
    if timing is None:
        return context.cell(BLANK, None, [record])
    if timing.failure is not None:
        return context.cell(BLANK, None, [record], [f"{timing.failure}."])
    speed = batch_size / float(np.median(flat(timing.rounds_s)))
    text, notes = rate(speed), [CHANGING] if timing.still_changing else []
    if plain is not None and plain.rounds_s and timing is not plain:
        ratio = speed_ratio(timing.rounds_s, plain.rounds_s)
        text += f" ({ratio.value:.2f}× [{ratio.low:.2f}, {ratio.high:.2f}])"
    return context.cell(text, speed, [record], notes)


def _percentiles(
    context: Context, record: Record, label: str, timing: FormTiming | None
) -> dict[str, Cell]:
    samples = flat(timing.latency_rounds_s) if timing else []
    row = {}
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        value = percentile(samples, q)
        row[f"{label} {name} (ms)"] = context.cell(*_milliseconds(value), [record])
    passes = context.cell(str(len(samples)), len(samples), [record])
    return row | {f"{label} passes": passes}
