"""Whoever is told what the runs of a plan are doing, to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bench.records.schema import Record
from bench.specs import RunSpec

if TYPE_CHECKING:
    from bench.training.loop import Progress


class Watcher(Protocol):
    """Told what happens, to show it; runs of several workers come in any order."""

    def started(self, spec: RunSpec) -> None:
        """A run begins."""

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        """A run did another update."""

    def ended(self, record: Record) -> None:
        """A run was recorded, whatever came of it."""
