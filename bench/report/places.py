"""Where results were made: machines and versions of torch in one table are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from bench.records.schema import Record


def place_of(record: Record) -> str:
    """``NVIDIA H100 80GB HBM3, torch 2.11.0``; a GPU decides a result, the processor beside not."""
    made = record.provenance
    return f"{made.device_name}, torch {made.packages.get('torch', 'unknown')}"


def places_told(places: Collection[str], own: Iterable[Record]) -> list[str]:
    """A sentence on where the records of a row were made; none where all of a table's are alike.

    Args:
        places: of all records of the table, each once.
        own: the records of the row.
    """
    counts = Counter(map(place_of, own))
    if not counts or len(places) < 2:
        return []
    if len(counts) == 1:
        return [f"Made on {next(iter(counts))}."]
    parts = [f"{count} on {place}" for place, count in sorted(counts.items())]
    return [f"Made on different machines or versions of torch: {'; '.join(parts)}."]
