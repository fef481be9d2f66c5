"""A document's parts as blocks of the page: its headings fitted in below those of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.report.table.model import Table

Part = str | Table


@dataclass(frozen=True)
class Block:
    """A heading (``level`` 3 or more), a paragraph in Markdown, or a table below a heading.

    Attributes:
        level: of the heading; of a table, of its title, or 0 where the heading above it says that.
    """

    level: int = 0
    heading: str = ""
    text: str = ""
    table: Table | None = None


def blocks(title: str, parts: Iterable[Part], without: Sequence[str] = ()) -> list[Block]:
    """The blocks below a section's ``title``.

    A document's own title is left out, and so are paragraphs of ``without``: the page has them
    at its head. A table whose title says what the heading above it says gets none of its own.
    """
    found: list[Block] = []
    above, level = title, 2
    for part in _split(parts):
        if isinstance(part, Table):
            same = part.title == above or part.title.startswith(f"{above}:")
            found.append(Block(0 if same else min(level + 1, 6), table=part))
        elif part.startswith("#"):
            marks, _, heading = part.partition(" ")
            if len(marks) > 1:
                above, level = heading.strip(), min(len(marks) + 1, 6)
                found.append(Block(level, heading=above))
        elif part not in without:
            found.append(Block(text=part))
    return found


def tables_in(found: Iterable[Block]) -> list[Table]:
    """The tables among blocks."""
    return [block.table for block in found if block.table is not None]


def _split(parts: Iterable[Part]) -> Iterator[Part]:
    """Each paragraph for itself, so that headings stand alone."""
    for part in parts:
        if isinstance(part, Table):
            yield part
        else:
            yield from (text.strip() for text in part.split("\n\n") if text.strip())
