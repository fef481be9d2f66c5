"""Numbers as LaTeX macros, so that a paper's text quotes what its tables show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from bench.report.table.latex_text import latex, number
from bench.report.table.model import Cell, Column, Row, Table

NAME = "macros.tex"
_DIGITS = ["Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"]
_HEAD = """\
% Numbers of the suite {suite} to quote in a text: \\input{{macros}}, then \\medspectralnet...ACC.
% Drawn from records; what is missing has no macro, so that LaTeX stops instead of printing nothing.
"""


def macros(tables: Sequence[Table], suite: str) -> str:
    """``\\newcommand`` for every number, each with the ids of its records and its footnotes.

    A spread or interval behind a number has a macro of its own: ``…Spread``. A name that two
    numbers would share is numbered from the second on.

    Args:
        tables: a number that stands in two of them is taken from the first.
    """
    lines, taken = [_HEAD.format(suite=latex(suite))], set[str]()
    before: set[tuple[str, str]] = set()
    for table in tables:
        own = [(row, column, cell) for row, column, cell in _numbers(table)]
        for row, column, cell in own:
            model = row[table.columns[0].key].text
            if (model, column.key) in before:
                continue
            name = _unique(_joined(model, column.key), taken)
            where = [c.text for key, c in row.items() if key in _TOLD_APART]
            notes = _notes(table, row, cell)
            told = [f"{model}, {column.head}", *where, f"records {_ids(cell)}", *notes]
            lines.append(f"% {' '.join('; '.join(told).split())}")
            value, _, spread = cell.text.partition(" ")
            lines.append(rf"\newcommand{{\{name}}}{{{number(value)}}}")
            if spread:
                lines.append(rf"\newcommand{{\{name}Spread}}{{{number(spread.lstrip('± '))}}}")
        before |= {(row[table.columns[0].key].text, column.key) for row, column, _ in own}
    return "\n".join(lines) + "\n"


def macro_name(text: str) -> str:
    """Letters alone: words joined with capitals, digits spelled, accents dropped."""
    named = re.sub(r"\([^)]*\)", " ", text).replace("Δ", " Delta").replace("/s", " PerSecond")
    plain = unicodedata.normalize("NFKD", named)
    found = []
    for word in re.findall(r"[A-Za-z]+|\d|[^\W\d_]", plain):
        if word.isdigit():
            found.append(_DIGITS[int(word)])
        elif word.isascii():
            found.append(word[0].upper() + word[1:])
        else:
            found.append("U" + "".join(_spelled(f"{ord(word):X}")))
    return "".join(found)


def _spelled(text: str) -> Iterator[str]:
    return (_DIGITS[int(c)] if c.isdigit() and c.isascii() else c for c in text)


def _joined(model: str, key: str) -> str:
    name = macro_name(model) + macro_name(key)
    return name[:1].lower() + name[1:]


def _unique(name: str, taken: set[str]) -> str:
    """Spelled-out digits may make two names one."""
    count, unique = 1, name
    while {unique, f"{unique}Spread"} & taken:
        count += 1
        unique = f"{name}No{macro_name(str(count))}"
    taken |= {unique, f"{unique}Spread"}
    return unique


def _notes(table: Table, row: Row, cell: Cell) -> list[str]:
    """The footnotes of the number and of its row: what must be known before it is quoted."""
    marks = dict.fromkeys([*row[table.columns[0].key].marks, *cell.marks])
    return [table.notes[mark - 1].removesuffix(".") for mark in marks]


def _ids(cell: Cell) -> str:
    return " ".join(cell.records) or "none"


def _numbers(table: Table) -> Iterator[tuple[Row, Column, Cell]]:
    for row in table.rows:
        for column in table.columns:
            cell = row.get(column.key)
            if cell is not None and not column.published and cell.value is not None:
                yield row, column, cell


_TOLD_APART = ("device", "measured on")  # columns that tell rows of one model apart
