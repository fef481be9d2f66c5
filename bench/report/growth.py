"""How time and memory grow with the image and the batch."""

from __future__ import annotations

import numpy as np
from scipy import stats

from bench.details import MemorySpec, ScalingSpec
from bench.records.details import MemoryResult, ScaledPoint, ScalingResult
from bench.report.accuracy import Context, Row
from bench.report.detail_cells import cells, flat, mebibytes, name_of
from bench.report.text import BLANK, rate
from bench.statistics.timings import log_slope

SEED = 0  # of the bootstrap of slopes


def scaling_rows(context: Context) -> list[Row]:
    """Exponents of time against pixels and images, and the batch that is fastest an image."""
    rows, rng = [], np.random.default_rng(SEED)
    for record, spec in cells(context, ScalingSpec):
        row = {"model": name_of(context, record, spec.model.name), "measured on": spec.device_name}
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
            row["of the upper half, memory"] = _memory_exponent(
                sizes[len(sizes) // 2 :], _libraries(context, spec)
            )
            row["time ∝ images to the"] = _exponent(batches, rng, of_batches=True)
            row |= _best_batch(batches)
            ended = next((p.failure for p in found.over_batches if p.failure), None)
            if ended:
                row["best batch"] += " " + context.notes.mark(f"Not at every batch: {ended}.")
            elif row["best batch"] == str(max(spec.batch_sizes)):
                row["best batch"] = f"≥ {row['best batch']}"  # faster still may lie beyond
        rows.append(row)
    return rows


def _exponent(
    points: list[ScaledPoint], rng: np.random.Generator, *, of_batches: bool = False
) -> str:
    sizes = [float(p.batch_size if of_batches else p.image_size**2) for p in points]
    if len(set(sizes)) < 2:
        return BLANK
    slope = log_slope(sizes, [point.rounds_s for point in points], rng)
    return f"{slope.value:.2f} [{slope.low:.2f}, {slope.high:.2f}]"


def _libraries(context: Context, spec: ScalingSpec) -> int | None:
    """Bytes that Python and the libraries take, by the model's own cell of memory."""
    for record, memory in cells(context, MemorySpec):
        same = (memory.model, memory.device_name) == (spec.model, spec.device_name)
        if same and isinstance(record.detail, MemoryResult):
            return record.detail.libraries_bytes
    return None


def _memory_exponent(points: list[ScaledPoint], libraries: int | None) -> str:
    """Of what the model adds, each size measured once; the interval is the straight line's own."""
    peaks = [(p.image_size**2, p.peak_bytes) for p in points if p.peak_bytes is not None]
    if libraries is None or len(peaks) < 3 or min(peak for _, peak in peaks) <= libraries:
        return BLANK
    pixels = np.log([size for size, _ in peaks])
    line = stats.linregress(pixels, np.log([peak - libraries for _, peak in peaks]))
    reach = float(stats.t.ppf(0.975, len(peaks) - 2) * line.stderr)
    return f"{line.slope:.2f} [{line.slope - reach:.2f}, {line.slope + reach:.2f}]"


def _memory_span(points: list[ScaledPoint]) -> str:
    peaks = [point.peak_bytes for point in points if point.peak_bytes is not None]
    return f"{mebibytes(peaks[0])} to {mebibytes(peaks[-1])}" if peaks else BLANK


def _best_batch(points: list[ScaledPoint]) -> Row:
    speeds = {p.batch_size: p.batch_size / float(np.median(flat(p.rounds_s))) for p in points}
    best = max(speeds, key=speeds.__getitem__, default=None)
    return {
        "best batch": str(best) if best else BLANK,
        "images/s there": rate(speeds[best]) if best else BLANK,
    }
