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
        value: the number behind the text, in its unit, to sort by; None where there is none.
        records: ids of the records it was taken or computed from; of an audit its file's name
            below the results folder, ``audit/breastmnist-28``.
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

    @property
    def head(self) -> str:
        """Group and label, where both stand in one line."""
        return f"{self.group} {self.label}".strip()


Row = Mapping[str, Cell]
"""Cells by column key; a row lacks the cells that do not apply to it."""


@dataclass(frozen=True)
class Table:
    """Rows of cells by column key.

    Attributes:
        name: stem of its files.
        title: in plain words.
        read: how to read it, in Markdown, above the table.
        legend: sentences on the whole table, in Markdown, below it.
        notes: sentences of the footnotes, in Markdown; the first has the number 1.
        empty: what stands in the place of a table without rows: what is missing, how to make it.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    read: str = ""
    notes: Sequence[str] = ()
    legend: Sequence[str] = ()
    empty: str = "No rows."


def columns_of(
    rows: Sequence[Row],
    *,
    words: Sequence[str] = (),
    groups: Mapping[str, str] | None = None,
    published: Sequence[str] = (),
) -> list[Column]:
    """The columns of rows in the order of their first cells; the key is the head.

    Args:
        words: keys of columns that hold words.
        groups: key → what it stands under; the group is then left out of the column's label.
        published: keys of columns that others printed.
    """
    found = []
    for key in dict.fromkeys(key for row in rows for key in row):
        group = (groups or {}).get(key, "")
        label = key.removeprefix(f"{group} ") if group else key
        found.append(Column(key, label, group, words=key in words, published=key in published))
    return found
