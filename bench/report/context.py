"""What drawing one table needs, and how a value becomes one of its cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bench.records.schema import Record
from bench.report.audits import NO_AUDITS, Audits
from bench.report.collect import Collected, training_of
from bench.report.footnotes import Footnotes
from bench.report.places import places_told
from bench.report.published import Published
from bench.report.table.model import Cell, Column, Row, State, Table
from bench.report.text import BLANK

STALE = "Stale: the code that decides this result has changed since."
NOISY = "Noisy: the machine was loaded while measuring."
MOST_NAMED = 6  # stale records; all of them are in the table of provenance
PublishedRows = dict[tuple[str, str], list[Published]]


@dataclass
class Context:
    """What drawing one table needs; a table has footnotes of its own, so a context of its own."""

    collected: Collected
    published: PublishedRows = field(default_factory=dict)
    notes: Footnotes = field(default_factory=Footnotes)
    audits: Audits = NO_AUDITS

    def afresh(self) -> Context:
        """The same, for another table."""
        return replace(self, notes=Footnotes())

    def cell(
        self,
        text: str,
        value: float | None = None,
        records: Iterable[Record] = (),
        sentences: Iterable[str] = (),
        *,
        best: bool = False,
    ) -> Cell:
        """A cell that rests on ``records``; ``sentences`` become its footnotes."""
        shown = list(records)
        marks = self.notes.numbers(sentences)
        ids = tuple(record.id for record in shown)
        known = None if text == BLANK else value
        return Cell(text, known, ids, marks, best, self._state(text, shown))

    def model(self, name: str, records: Iterable[Record], sentences: Iterable[str] = ()) -> Cell:
        """The name at the head of a row, with what must be known of all its ``records``."""
        shown = list(records)
        trained = [record for record in shown if record.training is not None]
        told = places_told(self.collected.places, trained)
        told += [line for record in trained for line in run_sentences(record)]
        every = [*self._stale(shown), *told, *sentences]
        return Cell(name, None, tuple(r.id for r in shown), self.notes.numbers(every))

    def table(
        self,
        name: str,
        title: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        *,
        read: str = "",
        legend: Sequence[str] = (),
        empty: str = "No rows.",
    ) -> Table:
        """The table with the footnotes that its cells used."""
        return Table(name, title, columns, rows, read, self.notes.sentences, legend, empty)

    def _state(self, text: str, records: Sequence[Record]) -> State:
        if text == BLANK:
            return "missing"
        if any(record.id in self.collected.stale for record in records):
            return "stale"
        return "noisy" if any(map(_noisy, records)) else "shown"

    def _stale(self, records: Sequence[Record]) -> list[str]:
        """Which of them are, where not all are."""
        stale = [record for record in records if record.id in self.collected.stale]
        if not stale or len(stale) == len(records):
            return [STALE] if stale else []
        which = ", ".join(record.spec.label for record in stale[:MOST_NAMED])
        more = f" and {len(stale) - MOST_NAMED} more" if len(stale) > MOST_NAMED else ""
        return [f"{STALE.removesuffix('.')}: {which}{more}."]


def run_sentences(record: Record) -> list[str]:
    """What must be known of a training: unofficial data, what was left out, how it ran."""
    result, data = training_of(record), record.spec.label.split(" · ")[1]
    sentences = [f"{data}: {result.data.note}"] if result.data.official is False else []
    sentences += [f"{name} is not used: {why}." for name, why in result.omitted_arguments.items()]
    sentences += [
        f"Augmentation {name} is left out: it {why}."
        for name, why in result.omitted_augmentations.items()
    ]
    return sentences + result.notes


def _noisy(record: Record) -> bool:
    found = record.cost if record.cost is not None else record.detail
    return bool(getattr(found, "noisy", False))
