"""A table as Markdown, drawn by pandas and tabulate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from bench.report.footnotes import Footnotes
from bench.report.table.model import Cell, Table
from bench.report.text import BLANK, escape

Row = dict[str, str]


def table_markdown(table: Table, notes: Footnotes) -> str:
    """The table and its legend; what is best is bold.

    Args:
        notes: of the page; the table's own join them, under the numbers they get there.
    """
    if not table.rows:
        return table.empty
    numbers = {own: notes.number(note) for own, note in enumerate(table.notes, start=1)}
    heads = [column.head for column in table.columns]
    cells = [
        [_drawn(row.get(column.key), numbers) for column in table.columns] for row in table.rows
    ]
    align = ["left" if column.words else "right" for column in table.columns]
    return "\n\n".join(part for part in (_grid(heads, cells, align), lines(table.legend)) if part)


def notes_markdown(notes: Footnotes) -> str:
    """``[1] Sentence.`` for each."""
    return lines([f"[{n}] {sentence}" for n, sentence in enumerate(notes.sentences, start=1)])


def lines(sentences: Sequence[str]) -> str:
    """A line each, in one paragraph."""
    return "\n".join(f"{sentence}  " for sentence in sentences)


def _drawn(cell: Cell | None, numbers: Mapping[int, int]) -> str:
    if cell is None:
        return BLANK
    text = escape(cell.text)
    bold = f"**{text}**" if cell.best else text
    return " ".join(filter(None, (bold, "".join(f"[{numbers[mark]}]" for mark in cell.marks))))


def _grid(heads: list[str], cells: list[list[str]], align: list[str]) -> str:
    frame = pd.DataFrame(cells, columns=[escape(head) for head in heads])
    return str(frame.to_markdown(index=False, disable_numparse=True, colalign=align))


_WORDS = {
    "model",
    "part",
    "fastest form",
    "nearest limit",
    "what is removed",
    "device",
    "data set",
    "published as",
    "measured on",
    "split",
    "pairs",
    "claim",
    "as printed",
    "judged",
    "evidence",
    "records",
    "method",
    "world",
    "chosen by",
    "what was read",
    "where",
}


def markdown(rows: list[Row]) -> str:
    """Rows of bare text as a Markdown table; words left, numbers right."""
    if not rows:
        return "No rows."
    heads = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[escape(row.get(name, BLANK)) for name in heads] for row in rows]
    return _grid(heads, cells, ["left" if name in _WORDS else "right" for name in heads])
