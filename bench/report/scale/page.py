"""The page on how long tables and figures take from many records, from its one record."""

from __future__ import annotations

from pathlib import Path

from bench.records.store import write_atomic
from bench.report.accuracy import Row
from bench.report.folder import reports_folder
from bench.report.scale.file import MANY, Shape
from bench.report.scale.record import Drawing, ScaleRecord, load
from bench.report.table.markdown import markdown

PAGE = "scale.md"
ABSENT = "# Many records\n\nNot measured here: `make scale` measures it.\n"


def scale_page(record: ScaleRecord | None) -> str:
    """The page as Markdown."""
    if record is None:
        return ABSENT
    spec, made = record.spec, record.provenance
    stale = " **Stale**: the code that decides it has changed since." if record.stale else ""
    parts = [
        "# Many records",
        f"{spec.about} Measured on {made.processor}, Python {made.python}, numpy "
        f"{made.packages['numpy']}; commit {(made.commit or 'unknown')[:12]}.{stale}",
        "\n".join(f"- `{name}`: {_shape(shape)}" for name, shape in spec.shape.items()),
        f"*Cold*: with an empty cache; *warm*: once more right after (docs/running.md, Many "
        f"records). Asked: {spec.within_s:g} s cold of up to {MANY:,} records, "
        f"{spec.many_within_s:g} s warm of more. Processor time is of all processes together, and "
        "memory that of the largest; both say more than wall time where other work was going on.",
        markdown([_row(record, drawing) for drawing in record.drawings]),
        _bytes_line(record),
    ]
    return "\n\n".join(parts) + "\n"


def write_scale_page(results: Path) -> Path:
    """Draw the measurement below ``results`` as ``reports/scale.md``; returns its path.

    Raises:
        InputError: the record is damaged.
    """
    folder = reports_folder(results)
    write_atomic(folder / PAGE, scale_page(load(results)).encode())
    return folder / PAGE


def passed(record: ScaleRecord) -> bool:
    """Whether no byte depended on the cache. Times are reported, as they are of this machine."""
    return all(drawing.same_bytes for drawing in record.drawings)


def _shape(shape: Shape) -> str:
    return (
        f"{shape.models} models × {len(shape.datasets)} data sets × {shape.seeds} seeds, at most "
        f"{shape.test_images} test images, {shape.epochs} epochs"
    )


def _row(record: ScaleRecord, drawing: Drawing) -> Row:
    limit, of = record.asked_s(drawing)
    kind = "warm" if of is drawing.warm else "cold"
    return {
        "where": drawing.shape,
        "records": f"{drawing.records:,}",
        "what was read": f"`{drawing.document}`",
        "cold (s)": f"{drawing.cold.wall_s:.1f}",
        "of processors (s)": f"{drawing.cold.processor_s:.1f}",
        "warm (s)": f"{drawing.warm.wall_s:.1f}",
        "of processors, warm (s)": f"{drawing.warm.processor_s:.1f}",
        "memory (GiB)": f"{max(drawing.cold.peak_bytes, drawing.warm.peak_bytes) / 2**30:.2f}",
        "asked": f"{limit:g} s {kind}: " + ("reached" if of.wall_s <= limit else "**missed**"),
    }


def _bytes_line(record: ScaleRecord) -> str:
    other = [f"`{d.document}` of `{d.shape}`" for d in record.drawings if not d.same_bytes]
    if other:
        return f"**Not the same bytes with and without what was kept**: {', '.join(other)}."
    return "Every file was the same to the last byte, with and without what was kept from before."
