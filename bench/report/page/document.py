"""The page as HTML: everything inside one file, nothing that a record says can run."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from markupsafe import Markup

from bench.report.page.content import Content
from bench.report.page.environment import SCRIPTS, asset, environment, policy
from bench.report.table.model import Cell, Column, Table


def document(content: Content) -> str:
    """The page; the same content gives the same text."""
    known = {card.id: number for number, card in enumerate(content.cards, start=1)}
    made = environment()
    made.filters |= {"groups": column_groups, "order": order, "breakable": breakable}
    made.globals |= {
        "anchor": anchor,
        "numbers": lambda ids: " ".join(str(known[identity]) for identity in ids),
    }
    return made.get_template("page.html.j2").render(
        page=content, policy=policy(SCRIPTS), scripts=[asset(name) for name in SCRIPTS]
    )


def anchor(identity: str) -> str:
    """Where the card of a record stands."""
    return f"record-{identity.replace('/', '-')}"


def column_groups(table: Table) -> list[tuple[str, list[Column]]]:
    """Columns under their common head, in order."""
    return [(name, list(of)) for name, of in groupby(table.columns, key=lambda c: c.group)]


def order(cell: Cell, column: Column) -> str:
    """What a cell is sorted by; empty, and then last, where there is nothing."""
    if column.words:
        return "" if cell.state == "missing" else cell.text
    return "" if cell.value is None else repr(cell.value)


def breakable(text: str) -> Markup:
    """Names may break after an underscore."""
    return Markup("_<wbr>").join(text.split("_"))


def records_of(tables: Iterable[Table]) -> list[str]:
    """Ids of all records that cells rest on, each once, in the order of the tables."""
    every = (
        identity
        for table in tables
        for row in table.rows
        for column in table.columns
        if column.key in row
        for identity in row[column.key].records
    )
    return list(dict.fromkeys(every))
