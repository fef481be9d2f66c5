"""A table as CSV: what the reader sees, and the numbers behind it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from bench.report.table.model import Cell, Column, Row, Table
from bench.report.text import BLANK

VALUE = " value"  # added to the key of a column whose text is more than its number
NOTES, RECORDS = "notes", "records"  # the last columns


def table_csv(table: Table) -> str:
    """One line a row: each column as printed; behind it, where the print is more than a number,
    the number itself; then the row's footnotes and the ids of its records.

    A table without rows has no header either.

    Raises:
        ValueError: a column is called as one of the last two are.
    """
    taken = {column.key for column in table.columns} & {NOTES, RECORDS}
    if taken:
        raise ValueError(f"the table {table.name} has a column {taken.pop()!r} of its own")
    if not table.rows:
        return ""
    valued = {column.key for column in table.columns if _has_more(table, column)}
    return rows_csv([_line(table, row, valued) for row in table.rows])


def rows_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of bare text as CSV; none, no header."""
    if not rows:
        return ""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval=BLANK, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _has_more(table: Table, column: Column) -> bool:
    cells = [row[column.key] for row in table.rows if column.key in row]
    return any(cell.value is not None and not _is_number(cell.text) for cell in cells)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _line(table: Table, row: Row, valued: set[str]) -> dict[str, str]:
    line = {}
    for column in table.columns:
        cell = row.get(column.key, Cell(BLANK))
        line[column.key] = cell.text or BLANK
        if column.key in valued:
            line[column.key + VALUE] = BLANK if cell.value is None else f"{cell.value:.6g}"
    line[NOTES] = " ".join(table.notes[mark - 1] for mark in _marks(row)) or BLANK
    line[RECORDS] = " ".join(dict.fromkeys(i for cell in row.values() for i in cell.records))
    return line


def _marks(row: Row) -> list[int]:
    return sorted({mark for cell in row.values() for mark in cell.marks})
