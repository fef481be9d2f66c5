"""What others printed, as cells beside ours and as a table of its own."""

from __future__ import annotations

from bench.report.context import Context
from bench.report.published import Published
from bench.report.table.model import Cell, Table, columns_of
from bench.report.text import BLANK, published_percent

PRINTED = "published"
_READ = (
    "Numbers of others under their own protocols (resolution, pre-training, choice of checkpoint "
    "differ): for orientation, not for a verdict."
)


def published_cells(context: Context, model: str) -> dict[str, Cell]:
    """``ACC / AUC at size`` of the first source; the others stand in the list below the table."""
    row = {}
    for dataset in context.collected.suite.datasets:
        if not any(name == dataset.name for _, name in context.published):
            continue
        theirs = context.published.get((model, dataset.name))
        cell = Cell(BLANK)
        if theirs:
            first = theirs[0]
            scores = f"{published_percent(first.acc)} / {published_percent(first.auc)}"
            size = f" at {first.image_size}" if first.image_size else ""
            value = 100 * float(first.acc) if first.acc else None
            cell = context.cell(f"{scores}{size}", value, (), [source_sentence(first)])
        row[f"{PRINTED} {dataset.name} ACC / AUC (%)"] = cell
    return row


def source_sentence(row: Published) -> str:
    """Who printed a number, where, and what must be known of it."""
    note = f"; {row.note}" if row.note else ""
    return f"Published as {row.model}: {row.source} ({row.where}){note}."


def published_table(context: Context) -> Table:
    """Every published number on the suite's models and data sets."""
    rows = [
        {
            "model": Cell(model),
            "published as": Cell(row.model),
            "data set": Cell(dataset),
            "size (px)": _printed(row.image_size, row.image_size),
            "ACC (%)": _printed(published_percent(row.acc), row.acc, 100),
            "AUC (%)": _printed(published_percent(row.auc), row.auc, 100),
            "source": Cell("", marks=context.notes.numbers([source_sentence(row)])),
        }
        for (model, dataset), rows in context.published.items()
        for row in rows
    ]
    columns = columns_of(
        rows,
        words=["model", "published as", "data set"],
        published=["size (px)", "ACC (%)", "AUC (%)", "source"],
    )
    return context.table("accuracy-published", "Published, as printed", columns, rows, read=_READ)


def _printed(text: str, number: str, scale: float = 1) -> Cell:
    return Cell(text, scale * float(number)) if number else Cell(BLANK)
