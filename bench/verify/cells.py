"""Two versions of a page or table, compared cell by cell: which moved, from what to what."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.verify.finding import NOTHING, Finding

_RULE = re.compile(r":?-+:?$")
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Line:
    """One line: the cells of a row of a table, or the whole text; and the columns' names."""

    number: int
    cells: tuple[str, ...]
    header: tuple[str, ...] = ()


def moved(file: str, was: str, now: str) -> list[Finding]:
    """A finding for every cell or line of ``file`` that is not as drawn; none where all is.

    Args:
        was: what the file holds.
        now: what is drawn from the records.
    """
    if was == now:
        return []
    read = _csv_lines if file.endswith(".csv") else _lines
    before, after = read(was), read(now)
    matcher = difflib.SequenceMatcher(
        None, [line.cells for line in before], [line.cells for line in after], autojunk=False
    )
    found = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            found += list(_between(file, before[a:b], after[c:d]))
    return found or [Finding(file, "white space", "other", "as drawn")]


def _between(file: str, was: Sequence[Line], now: Sequence[Line]) -> Iterator[Finding]:
    if len(was) != len(now):
        for line in was:
            yield Finding(file, f"line {line.number}", " | ".join(line.cells), NOTHING)
        for line in now:
            yield Finding(file, f"line {line.number}", NOTHING, " | ".join(line.cells))
        return
    for before, after in zip(was, now, strict=True):
        if len(before.cells) != len(after.cells) or len(after.cells) == 1:
            texts = (" | ".join(before.cells), " | ".join(after.cells))
            yield Finding(file, f"line {before.number}", *_around(*texts))
            continue
        for index, (old, new) in enumerate(zip(before.cells, after.cells, strict=True)):
            if old != new:
                column = after.header[index] if index < len(after.header) else f"column {index + 1}"
                place = f"line {before.number}, {after.cells[0] or 'no name'}, {column}"
                yield Finding(file, place, old, new)


def _around(was: str, now: str) -> tuple[str, str]:
    """Both from a little before their first difference, so that it is among what is shown."""
    same = next((i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), 0)
    start = max(0, same - 40)
    dots = "…" if start else ""
    return dots + was[start:], dots + now[start:]


def _lines(text: str) -> list[Line]:
    lines: list[Line] = []
    header: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("|"):
            header = ()
            lines.append(Line(number, (line.rstrip(),)))
            continue
        cells = tuple(_RULE.sub("-", cell.strip()) for cell in _BAR.split(line)[1:-1])
        header = header or cells
        lines.append(Line(number, cells, header))
    return lines


def _csv_lines(text: str) -> list[Line]:
    rows = [tuple(row) for row in csv.reader(io.StringIO(text))]
    return [Line(number, row, rows[0]) for number, row in enumerate(rows, start=1)]
