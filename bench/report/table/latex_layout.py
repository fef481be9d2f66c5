"""How a table fits on paper: which columns wrap, which table stands sideways, which is split.

Widths are estimated from the number of characters, since only LaTeX knows them; the estimate is on
the wide side. A table is upright if it fits a text block of 16 cm, else sideways, else cut between
its groups of columns into parts that fit, each with the columns of words again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.report.table.latex_text import pieces
from bench.report.table.model import Cell, Column, Table
from bench.report.text import BLANK

UPRIGHT_PT = 455.0  # A4 with margins of 2.5 cm
SIDEWAYS_PT = 700.0
LETTER_PT = 4.25  # of the average letter in \footnotesize
GAP_PT = 6.0  # twice \tabcolsep
UPRIGHT_LINES, SIDEWAYS_LINES = 44, 26  # of the body; a longer table goes over several pages
NARROWEST = 14  # characters of a column of words that wraps
BOLD = 1.15  # times as wide
CODE_PT = 34.0  # of a code point, U+80BA
MARK_PT = 4.0  # of a footnote's number
ONCE = 12  # characters of a text that is worth saying once instead of in every row
_WIDTHS_PT = {  # of Computer Modern at 8 points, by kind of character
    " .,:;'|!()[]ijltfI": 2.85,
    "mwMW%@–": 7.6,
    "±+-−×=<>~∝≥≤": 6.7,
    "ABCDEFGHJKLNOPQRSTUVXYZΔ&#\\{}$^_": 6.2,
}
_WIDTH_PT = {character: width for kind, width in _WIDTHS_PT.items() for character in kind}


@dataclass(frozen=True)
class Laid:
    """One column as it is set.

    Attributes:
        head: lines of its label.
        width_pt: of a column that wraps; None: as wide as its longest cell.
    """

    column: Column
    head: tuple[str, ...]
    width_pt: float | None = None


@dataclass(frozen=True)
class Part:
    """Columns that stand in one LaTeX table.

    Attributes:
        long: over several pages.
    """

    columns: tuple[Laid, ...]
    sideways: bool
    long: bool


def parts_of(table: Table) -> list[Part]:
    """The parts in which a table fits; a single group of columns that fits nowhere is not cut."""
    columns = [column for column in table.columns if column not in alike(table)]
    natural = {column.key: _natural(table, column) for column in columns}
    whole = _laid(table, columns, natural)
    if whole is not None:
        return [whole]
    lead = [column for column in columns if column.words and not column.group]
    parts: list[list[Column]] = []
    for group in _groups([column for column in columns if column not in lead]):
        if parts and _laid(table, [*lead, *parts[-1], *group], natural) is not None:
            parts[-1] += group
        else:
            parts.append(list(group))
    return [
        _laid(table, [*lead, *part], natural) or _forced(table, [*lead, *part], natural)
        for part in parts
    ]


def alike(table: Table) -> list[Column]:
    """Columns of words that say the same in every row, the first apart: a line says it once."""

    def told(column: Column) -> set[tuple[str, tuple[int, ...]]]:
        cells = [row.get(column.key) for row in table.rows]
        return {("", ()) if cell is None else (cell.text, cell.marks) for cell in cells}

    def long(column: Column) -> bool:
        return len(table.rows[0].get(column.key, Cell("")).text) > ONCE

    if len(table.rows) < 2:
        return []
    words = [column for column in table.columns[1:] if column.words]
    return [column for column in words if len(told(column)) == 1 and long(column)]


def wrap(text: str, width: int) -> tuple[str, ...]:
    """Lines of at most ``width`` characters, broken at blanks and where a name may break."""
    lines = [""]
    for piece in (word for part in pieces(text, width) for word in _words(part)):
        if lines[-1] and len((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return tuple(line.strip() for line in lines)


def _words(text: str) -> list[str]:
    """Words, each with the blank behind it."""
    words = text.split(" ")
    return [word + " " for word in words[:-1]] + [word for word in words[-1:] if word]


def width_pt(text: str, *, bold: bool = False, marks: int = 0) -> float:
    """Of one line in ``\\footnotesize``, estimated; of other scripts their code points."""
    known = sum(
        _WIDTH_PT.get(character, LETTER_PT if ord(character) < 0x400 else CODE_PT)
        for character in text
    )
    return known * (BOLD if bold else 1) + marks * MARK_PT


def _natural(table: Table, column: Column) -> float:
    """Points of the longest cell."""
    cells = [row[column.key] for row in table.rows if column.key in row]
    return max(
        (width_pt(cell.text, bold=cell.best, marks=len(cell.marks)) for cell in cells),
        default=width_pt(BLANK),
    )


def _laid(table: Table, columns: Sequence[Column], natural: dict[str, float]) -> Part | None:
    """Upright or sideways, whichever has few lines; None where neither is wide enough."""
    found = []
    for sideways, room in ((False, UPRIGHT_PT), (True, SIDEWAYS_PT)):
        laid = _within(columns, natural, room)
        if laid is not None:
            lines = _lines(table, laid)
            most = SIDEWAYS_LINES if sideways else UPRIGHT_LINES
            found.append((lines, Part(tuple(laid), sideways, lines > most)))
    if len(found) == 2 and found[0][0] > 2 * len(table.rows) and found[1][0] < found[0][0]:
        return found[1][1]
    return found[0][1] if found else None


def _within(columns: Sequence[Column], natural: dict[str, float], room: float) -> list[Laid] | None:
    """Columns of numbers as wide as they are, those of words in what is left."""
    heads = {column.key: _head(column, natural[column.key]) for column in columns}
    wide = {key: max(natural[key], *map(width_pt, head)) for key, head in heads.items()}
    words = [column.key for column in columns if column.words]
    taken = sum(width for key, width in wide.items() if key not in words)
    left = room - taken - GAP_PT * len(columns)
    if sum(wide[key] for key in words) <= left:
        return [Laid(column, heads[column.key]) for column in columns]
    least = {key: min(wide[key], NARROWEST * LETTER_PT) for key in words}
    spare = left - sum(least.values())
    if spare < 0 or not words:
        return None
    wanted = sum(wide[key] - least[key] for key in words)
    share = {key: least[key] + spare * (wide[key] - least[key]) / wanted for key in words}
    return [
        Laid(column, wrap(column.label, _characters(share[column.key])), share[column.key])
        if column.words and share[column.key] < wide[column.key]
        else Laid(column, heads[column.key])
        for column in columns
    ]


def _forced(table: Table, columns: Sequence[Column], natural: dict[str, float]) -> Part:
    laid = [Laid(column, _head(column, natural[column.key])) for column in columns]
    return Part(tuple(laid), sideways=True, long=_lines(table, laid) > SIDEWAYS_LINES)


def _head(column: Column, natural: float) -> tuple[str, ...]:
    """The label in lines that are hardly wider than the body."""
    longest = max(map(len, column.label.split()), default=0)
    return wrap(column.label, max(_characters(natural), min(longest, NARROWEST)))


def _characters(width: float) -> int:
    return max(1, int(width / LETTER_PT))


def _groups(columns: Sequence[Column]) -> list[list[Column]]:
    """Columns that stand under the same spanner, side by side; any other alone."""
    groups: list[list[Column]] = []
    for column in columns:
        if groups and column.group and groups[-1][-1].group == column.group:
            groups[-1].append(column)
        else:
            groups.append([column])
    return groups


def _lines(table: Table, laid: Sequence[Laid]) -> int:
    """Of the body, with what wraps."""
    wrapping = [(one.column.key, one.width_pt) for one in laid if one.width_pt is not None]
    return sum(
        max(
            (len(wrap(row[key].text, _characters(width))) for key, width in wrapping if key in row),
            default=1,
        )
        for row in table.rows
    )
