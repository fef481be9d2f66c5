"""What a figure is before it is drawn: its numbers, its caption, the records it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from bench.records.base import Stored
from bench.records.schema import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHANGED = "the code that decides it has changed since"
Value = str | int | float | None
Row = dict[str, Value]


@dataclass(frozen=True)
class Planned:
    """One figure.

    Attributes:
        name: of its files, without ending.
        caption: what is shown and what intervals cover, in a sentence or two.
        rows: every number that is drawn, for the CSV beside it.
        records: those that the numbers were taken or computed from.
        draw: makes the picture; called inside ``style.styled``.
        beside: other records whose numbers the picture shows, though its rows do not.
        looks: records of other kinds that it is drawn from.
    """

    name: str
    title: str
    caption: str
    rows: Sequence[Row]
    records: Sequence[Record]
    draw: Callable[[], Figure] = field(compare=False)
    beside: Sequence[Record] = ()
    looks: Sequence[Stored] = ()


class Rows(Sequence[Row]):
    """Rows that are made when they are asked for, and not kept: curves have very many."""

    def __init__(self, make: Callable[[], list[Row]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Row]:
        return iter(self._make())

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        return self._make()[place]

    def __len__(self) -> int:
        return len(self._make())


@dataclass(frozen=True)
class Lacking:
    """A figure that cannot be drawn: what is missing, and what makes it."""

    title: str
    why: str
    remedy: str = ""


def rests_on(records: Sequence[Record], stale: set[str]) -> str:
    """``Rests on 30 records; 3 are stale …``, as the end of a caption."""
    unique = {record.id: record for record in records}
    old = [record for identity, record in unique.items() if identity in stale]
    told = f"Rests on {counted(len(unique), 'record')}"
    if not old:
        return f"{told}, none stale."
    if len(old) == len(unique):
        return f"{told}, all stale ({_CHANGED})."
    trainings = {record.id for record in unique.values() if record.training is not None}
    if {record.id for record in old} == trainings:
        return f"{told}; every training is stale ({_CHANGED})."
    models = Counter(model_of(record) for record in old)
    named = ", ".join(f"{name} ({count})" for name, count in models.items())
    return f"{told}; {len(old)} stale ({_CHANGED}): {named}."


def model_of(record: Record) -> str:
    """The model's name; of the machine's own limits, the machine."""
    model = getattr(record.spec, "model", None)
    return str(model.name) if model is not None else record.spec.label


def counted(count: int, what: str) -> str:
    """``1 seed``, ``3 seeds``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def ids(records: Sequence[Record]) -> str:
    """Ids as a cell of a CSV holds them."""
    return " ".join(record.id for record in records)
