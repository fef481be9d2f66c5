"""What a full measurement adds: forms and precisions, far percentiles, memory and cold start."""

from __future__ import annotations

import numpy as np

from bench.details import FormsSpec, MemorySpec
from bench.records.details import (
    FormsResult,
    FormTiming,
    MemoryResult,
)
from bench.report.accuracy import Context, Row
from bench.report.detail_cells import cells, flat, mebibytes, name_of
from bench.report.text import BLANK, milliseconds, rate
from bench.statistics.timings import percentile, speed_ratio

CHANGING = "Times were still changing when the warm-up ended."


def forms_rows(context: Context) -> list[Row]:
    """Images/s of each form, and in brackets how many times plain's; one row a model."""
    rows = []
    for record, spec in cells(context, FormsSpec):
        row = {"model": name_of(context, record, spec.model.name), "measured on": spec.device_name}
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
    for record, spec in cells(context, FormsSpec):
        row = {"model": name_of(context, record, spec.model.name), "measured on": spec.device_name}
        result = record.detail
        timed = (
            [t for t in result.timings if t.latency_rounds_s and t.precision == "float32"]
            if isinstance(result, FormsResult)
            else []
        )
        plain = next((t for t in timed if t.form == "plain"), None)
        fastest = min(timed, key=lambda t: float(np.median(flat(t.latency_rounds_s))), default=None)
        row |= _percentiles("plain", plain)
        row["fastest form"] = fastest.form if fastest else BLANK
        row |= _percentiles("fastest", fastest)
        rows.append(row)
    return rows


def memory_rows(context: Context) -> list[Row]:
    """Peaks of fresh processes and how they begin."""
    rows = []
    for record, spec in cells(context, MemorySpec):
        row = {"model": name_of(context, record, spec.model.name), "measured on": spec.device_name}
        found = record.detail
        if isinstance(found, MemoryResult):
            training = BLANK
            if found.training_peak_bytes is not None:
                training = mebibytes(found.training_peak_bytes - found.libraries_bytes)
            elif found.training_failure:
                training += " " + context.notes.mark(f"No training step: {found.training_failure}.")
            row |= {
                "libraries (MiB)": mebibytes(found.libraries_bytes),
                "inference adds (MiB)": mebibytes(
                    found.inference_peak_bytes - found.libraries_bytes
                ),
                "training adds (MiB)": training,
                "± by a repeat (MiB)": mebibytes(found.repeat_difference_bytes),
                "import (s)": f"{found.import_s:.1f}",
                "build (s)": f"{found.build_s:.2f}",
                "first pass (ms)": milliseconds(found.first_forward_s),
                "second (ms)": milliseconds(found.second_forward_s),
            }
        rows.append(row)
    return rows


def _timing(result: FormsResult, form: str, precision: str) -> FormTiming | None:
    return next((t for t in result.timings if (t.form, t.precision) == (form, precision)), None)


def _speed(
    context: Context, timing: FormTiming | None, plain: FormTiming | None, batch_size: int
) -> str:
    if timing is None:
        return BLANK
    if timing.failure is not None:
        return f"{BLANK} {context.notes.mark(f'{timing.failure}.')}"
    images = rate(batch_size / float(np.median(flat(timing.rounds_s))))
    if timing.still_changing:
        images += " " + context.notes.mark(CHANGING)
    if plain is None or not plain.rounds_s or timing is plain:
        return images
    ratio = speed_ratio(timing.rounds_s, plain.rounds_s)
    return f"{images} ({ratio.value:.2f}× [{ratio.low:.2f}, {ratio.high:.2f}])"


def _percentiles(label: str, timing: FormTiming | None) -> Row:
    samples = flat(timing.latency_rounds_s) if timing else []
    row = {}
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        value = percentile(samples, q)
        row[f"{label} {name} (ms)"] = BLANK if value is None else milliseconds(value)
    return row | {f"{label} passes": str(len(samples))}
