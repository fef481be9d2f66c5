"""How time and memory grow with the image and the batch."""

from __future__ import annotations

import numpy as np
from scipy import stats

from bench.details import MemorySpec, ScalingSpec
from bench.records.details import MemoryResult, ScaledPoint, ScalingResult
from bench.records.schema import Record
from bench.report.context import Context
from bench.report.detail_cells import cells, flat, mebibytes, name_of
from bench.report.table.model import Cell, Row
from bench.report.text import BLANK, rate
from bench.statistics.timings import log_slope

SEED = 0  # of the bootstrap of slopes


def scaling_rows(context: Context) -> list[Row]:
    """Exponents of time against pixels and images, and the batch that is fastest an image."""
    rows: list[Row] = []
    rng = np.random.default_rng(SEED)
    for record, spec in cells(context, ScalingSpec):
        row = {
            "model": name_of(context, record, spec.model.name),
            "measured on": context.cell(spec.device_name, None, [record]),
        }
        if isinstance(record.detail, ScalingResult):
            row |= _grown(context, record, record.detail, spec, rng)
        rows.append(row)
    return rows


def _grown(
    context: Context,
    record: Record,
    found: ScalingResult,
    spec: ScalingSpec,
    rng: np.random.Generator,
) -> dict[str, Cell]:
    sizes = [point for point in found.over_sizes if point.rounds_s]
    batches = [point for point in found.over_batches if point.rounds_s]
    upper = sizes[len(sizes) // 2 :]
    span = f"{sizes[0].image_size} to {sizes[-1].image_size}" if sizes else BLANK
    best, speed = _best_batch(batches)
    text = str(best) if best else BLANK
    cut = next((point.failure for point in found.over_batches if point.failure), None)
    if cut is None and best == max(spec.batch_sizes):
        text = f"≥ {best}"  # faster still may lie beyond
    told = {
        "sizes (px)": (span, None),
        "time ∝ pixels to the": _exponent(sizes, rng),
        "of the upper half": _exponent(upper, rng),
        "memory, smallest to largest (MiB)": (_memory_span(sizes), None),
        "of the upper half, memory": _memory_exponent(upper, _libraries(context, spec)),
        "time ∝ images to the": _exponent(batches, rng, of_batches=True),
        "best batch": (text, best),
        "images/s there": (rate(speed), speed) if speed else (BLANK, None),
    }
    ended = next((point.failure for point in found.over_sizes if point.failure), None)
    notes = {
        "sizes (px)": [f"Not at every size: {ended}."] if ended else [],
        "best batch": [f"Not at every batch: {cut}."] if cut else [],
    }
    return {key: context.cell(*one, [record], notes.get(key, [])) for key, one in told.items()}


def _exponent(
    points: list[ScaledPoint], rng: np.random.Generator, *, of_batches: bool = False
) -> tuple[str, float | None]:
    sizes = [float(p.batch_size if of_batches else p.image_size**2) for p in points]
    if len(set(sizes)) < 2:
        return BLANK, None
    slope = log_slope(sizes, [point.rounds_s for point in points], rng)
    return f"{slope.value:.2f} [{slope.low:.2f}, {slope.high:.2f}]", slope.value


def _libraries(context: Context, spec: ScalingSpec) -> int | None:
    """Bytes that Python and the libraries take, by the model's own cell of memory."""
    for record, memory in cells(context, MemorySpec):
        same = (memory.model, memory.device_name) == (spec.model, spec.device_name)
        if same and isinstance(record.detail, MemoryResult):
            return record.detail.libraries_bytes
    return None


def _memory_exponent(points: list[ScaledPoint], libraries: int | None) -> tuple[str, float | None]:
    """Of what the model adds, each size measured once; the interval is the straight line's own."""
    peaks = [(p.image_size**2, p.peak_bytes) for p in points if p.peak_bytes is not None]
    if libraries is None or len(peaks) < 3 or min(peak for _, peak in peaks) <= libraries:
        return BLANK, None
    pixels = np.log([size for size, _ in peaks])
    line = stats.linregress(pixels, np.log([peak - libraries for _, peak in peaks]))
    reach = float(stats.t.ppf(0.975, len(peaks) - 2) * line.stderr)
    slope = float(line.slope)
    return f"{slope:.2f} [{slope - reach:.2f}, {slope + reach:.2f}]", slope


def _memory_span(points: list[ScaledPoint]) -> str:
    peaks = [point.peak_bytes for point in points if point.peak_bytes is not None]
    return f"{mebibytes(peaks[0])} to {mebibytes(peaks[-1])}" if peaks else BLANK


def _best_batch(points: list[ScaledPoint]) -> tuple[int | None, float]:
    """The batch of the most images a second, and how many."""
    speeds = {p.batch_size: p.batch_size / float(np.median(flat(p.rounds_s))) for p in points}
    best = max(speeds, key=speeds.__getitem__, default=None)
    return best, speeds[best] if best else 0.0
