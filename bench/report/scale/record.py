"""What is kept of it: time and memory of each document, with nothing and with all kept before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from bench.records.base import Stored
from bench.records.schema import Provenance
from bench.records.single import load_single, save_single
from bench.report.code import drawing_digest
from bench.report.scale.file import MANY, ScaleFile

NAME = "scale.json"  # below the results folder

Document = Literal["report", "figures", "status"]
Seconds = Annotated[float, Field(ge=0)]


class Taken(Stored):
    """One command in a fresh process; processor time is of all its processes."""

    wall_s: Seconds
    processor_s: Seconds
    peak_bytes: Annotated[int, Field(ge=1)]  # of its largest process


class Drawing(Stored):
    """One document of one shape.

    Attributes:
        cold: with an empty cache.
        warm: once more, right after.
        same_bytes: whether both wrote the same, to the last byte; and, of up to ``MANY`` records,
            the same as without a cache.
    """

    shape: str
    records: Annotated[int, Field(ge=1)]
    document: Document
    cold: Taken
    warm: Taken
    same_bytes: bool


class ScaleRecord(Stored):
    """All shapes of one file on one machine."""

    schema_version: Literal[1] = 1
    spec: ScaleFile
    provenance: Provenance
    drawings: list[Drawing]

    @property
    def stale(self) -> bool:
        """Whether the code that decides it has changed since."""
        return self.provenance.source_digest != drawing_digest()

    def asked_s(self, drawing: Drawing) -> tuple[float, Taken]:
        """The limit, and the measurement that it is asked of."""
        many = drawing.records > MANY
        limit = self.spec.many_within_s if many else self.spec.within_s
        return limit, drawing.warm if many else drawing.cold


def save(record: ScaleRecord, results: Path) -> Path:
    """Write the record whole or not at all; returns its path."""
    path = results / NAME
    save_single(record, path)
    return path


def load(results: Path) -> ScaleRecord | None:
    """The stored measurement, or None if there is none.

    Raises:
        InputError: it is damaged.
    """
    return load_single(
        results / NAME,
        ScaleRecord,
        lambda _: set(),
        called="record",
        again="make it anew: make scale",
    )
