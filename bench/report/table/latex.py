"""A table as LaTeX: booktabs rules, spanners, footnotes; the frame is a template.

Neither pandas' ``Styler.to_latex`` (no rules under spanners, no footnotes) nor Great Tables'
``as_latex`` (drops bold, refuses footnotes) draws all of this, so the frame is a Jinja template.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.report.table.latex_layout import (
    LETTER_PT,
    NARROWEST,
    Laid,
    Part,
    alike,
    parts_of,
    width_pt,
    wrap,
)
from bench.report.table.latex_text import inline, latex, number
from bench.report.table.model import Cell, Table
from bench.report.text import BLANK

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    block_start_string="<%",
    block_end_string="%>",
    variable_start_string="<<",
    variable_end_string=">>",
    comment_start_string="<#",
    comment_end_string="#>",
    trim_blocks=True,
    keep_trailing_newline=True,
    undefined=StrictUndefined,
    autoescape=False,  # LaTeX is escaped by latex(), number() and inline()
)


@dataclass(frozen=True)
class _Drawn:
    """What the template prints of one part."""

    environment: str
    sideways: bool
    long: bool
    spec: str
    width: int
    caption: str
    label: str
    head: str
    rows: list[str]
    below: list[str]
    notes: list[tuple[int, str]]


def table_latex(table: Table, suite: str) -> str:
    """The table as one or more LaTeX tables, to be read by ``\\input``.

    Args:
        suite: whose table it is; it stands in the caption and in the label.
    """
    caption = f"{latex(table.title)}, suite \\texttt{{{latex(suite)}}}"
    label = "tab:" + re.sub(r"[^\w-]", "-", f"{suite}-{table.name}")
    parts = parts_of(table) if table.rows else []
    drawn = [
        _drawn(table, part, caption, label, index if len(parts) > 1 else None, len(parts))
        for index, part in enumerate(parts)
    ]
    return _TEMPLATES.get_template("table.tex.j2").render(
        name=table.name, parts=drawn, caption=caption, label=label, empty=inline(table.empty)
    )


def _drawn(
    table: Table, part: Part, caption: str, label: str, index: int | None, count: int
) -> _Drawn:
    keys = {one.column.key for one in part.columns}
    marks = sorted({m for row in table.rows for k, c in row.items() if k in keys for m in c.marks})
    last = index is None or index == count - 1
    below = [*_paragraphs(table.read), *map(inline, table.legend)] if last else []
    below = [*_once(table), *below]
    return _Drawn(
        environment="sidewaystable" if part.sideways else "table",
        sideways=part.sideways,
        long=part.long,
        spec="".join(map(_spec, part.columns)),
        width=len(part.columns),
        caption=caption if index is None else f"{caption} ({index + 1} of {count})",
        label=label if index is None else f"{label}-{index + 1}",
        head=_head(table, part.columns),
        rows=_rows(table, part),
        below=below,
        notes=[(mark, inline(table.notes[mark - 1])) for mark in marks],
    )


def _once(table: Table) -> list[str]:
    """What every row says alike."""
    told = [f"{latex(c.head)} {latex(table.rows[0][c.key].text, 40)}" for c in alike(table)]
    return [f"In every row: {'; '.join(told)}."] if told else []


def _paragraphs(read: str) -> list[str]:
    return [inline(paragraph) for paragraph in read.split("\n\n") if paragraph.strip()]


def _spec(one: Laid) -> str:
    if one.width_pt is not None:
        return f">{{\\raggedright\\arraybackslash}}p{{{one.width_pt:.0f}pt}}"
    return "l" if one.column.words else "r"


def _head(table: Table, columns: Sequence[Laid]) -> str:
    """The line of spanners, if there are any, and the line of labels."""
    labels = " & ".join(_label(one, i, len(columns)) for i, one in enumerate(columns)) + r" \\"
    if not any(one.column.group for one in columns):
        return labels
    cells, rules, place = [], [], 1
    for group, grouped in itertools.groupby(columns, key=lambda one: one.column.group):
        own = list(grouped)
        end = place + len(own) - 1
        if group:
            longest = min(max(map(len, group.split())), NARROWEST)
            width = max(longest, sum(_characters(table, one) for one in own))
            stacked = _stacked(wrap(group, width), "c")
            cells.append(rf"\multicolumn{{{len(own)}}}{{c}}{{{stacked}}}")
            rules.append(rf"\cmidrule(lr){{{place}-{end}}}")
        else:
            cells += [""] * len(own)
        place = end + 1
    return "\n".join([" & ".join(cells) + r" \\", "".join(rules), labels])


def _characters(table: Table, one: Laid) -> int:
    """How many letters fit above a column."""
    if one.width_pt is not None:
        return int(one.width_pt / LETTER_PT)
    cells = (row[one.column.key].text for row in table.rows if one.column.key in row)
    return max(6, int(max(map(width_pt, [*one.head, *cells])) / LETTER_PT))


def _label(one: Laid, place: int, columns: int) -> str:
    side = "l" if one.column.words else "r"
    edges = ("@{}" if place == 0 else "", "@{}" if place == columns - 1 else "")
    return rf"\multicolumn{{1}}{{{side.join(edges)}}}{{{_stacked(one.head, side)}}}"


def _stacked(lines: Sequence[str], side: str) -> str:
    texts = list(map(latex, lines))
    if len(texts) == 1:
        return texts[0]
    return rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}" + r"\\".join(texts) + r"\end{tabular}"


def _rows(table: Table, part: Part) -> list[str]:
    """Lines; what several rows in turn share in their first column is printed once, set apart."""
    first = part.columns[0]
    lines: list[str] = []
    above: object = None
    heads = [_told(row.get(first.column.key)) for row in table.rows]
    shared = len(set(heads)) < len(heads) and not part.long
    for row, head in zip(table.rows, heads, strict=True):
        cells = [_cell(row.get(one.column.key), one, long=part.long) for one in part.columns]
        if shared and head == above:
            cells[0] = ""
        gap = shared and lines and head != above
        lines.append((r"\addlinespace" + "\n" if gap else "") + " & ".join(cells) + r" \\")
        above = head
    return lines


def _told(cell: Cell | None) -> tuple[str, tuple[int, ...]]:
    return ("", ()) if cell is None else (cell.text, cell.marks)


def _cell(cell: Cell | None, one: Laid, *, long: bool) -> str:
    if cell is None:
        return latex(BLANK)
    if one.width_pt is not None:
        text = latex(cell.text, max(1, int(one.width_pt / LETTER_PT) - 1))
    else:
        text = latex(cell.text) if one.column.words else number(cell.text)
    if not text:
        return latex("".join(f"[{mark}]" for mark in cell.marks))
    bold = rf"\textbf{{{text}}}" if cell.best else text
    return bold + _marks(cell.marks, long=long)


def _marks(marks: Sequence[int], *, long: bool) -> str:
    if not marks:
        return ""
    listed = ",".join(map(str, marks))
    return rf"\textsuperscript{{{listed}}}" if long else rf"\tnote{{{listed}}}"


PACKAGES = ("array", "booktabs", "threeparttable", "longtable", "rotating", "pdflscape")


def all_tables(files: Sequence[str]) -> str:
    """A document that prints every table of a suite, given their files in order."""
    return _TEMPLATES.get_template("tables.tex.j2").render(files=files, packages=PACKAGES)
