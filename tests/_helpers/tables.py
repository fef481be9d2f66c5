"""Cells as text with their marks, to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.report.table.model import Cell


def texts(rows: Sequence[Mapping[str, Cell]]) -> list[dict[str, str]]:
    """``{"model": "resnet18 [1][2]"}`` for each row."""
    return [{key: text(cell) for key, cell in row.items()} for row in rows]


def text(cell: Cell) -> str:
    marks = "".join(f"[{mark}]" for mark in cell.marks)
    return f"{cell.text} {marks}".strip()
