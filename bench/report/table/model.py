"""A table before it is drawn: what each cell says, and the records it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["shown", "missing", "stale", "noisy"]
"""Stale: code that decides it has changed since. Noisy: the machine was loaded meanwhile."""


@dataclass(frozen=True)
class Cell:
    """One value as the reader sees it.

    Attributes:
        text: what is printed, without marks.
        value: the number behind the text, to sort by; None where there is none.
        records: ids of the records it was taken or computed from.
        marks: numbers of the footnotes it carries.
        best: the best of its column, or not distinguishable from the best.
    """

    text: str
    value: float | None = None
    records: tuple[str, ...] = ()
    marks: tuple[int, ...] = ()
    best: bool = False
    state: State = "shown"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: its name in the CSV, of its own in the table.
        label: its head, below that of its group.
        group: what several columns stand under, a data set for instance; empty: none.
        words: set left, sorted as text.
        published: printed by others, never measured here.
    """

    key: str
    label: str
    group: str = ""
    words: bool = False
    published: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells by column key; a row lacks the cells that do not apply to it.

    Attributes:
        name: stem of its files.
        read: how to read it, in Markdown, above the table.
        notes: sentences of the footnotes; the first has the number 1.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]
    read: str = ""
    notes: Sequence[str] = ()
