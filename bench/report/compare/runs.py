"""What became of one model's runs of a suite."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bench.records.schema import Record
from bench.report.collect import Collected, training_of
from bench.report.compare.cost import machine
from bench.report.compare.names import train_command
from bench.suite import run_spec


@dataclass(frozen=True)
class Runs:
    """What became of one model's runs of a suite, on whatever device.

    Attributes:
        failed: those that ended without a result, with what is known; among the missing.
        shown: how many have a result that stands in the tables; ``stale`` of them are.
        wall_s: what each shown run took, by machine; nobody kept these machines free meanwhile.
    """

    model: str
    asked: int
    shown: int
    stale: int
    failed: list[str]
    missing: int
    command: str | None
    wall_s: dict[str, list[float]]
    notes: list[str]


def runs_of(pair: Collected, model: str) -> Runs:
    """Those of the suite, done or not."""
    suite = pair.suite
    own = [record for key, r in pair.done.items() if key[0] == model for record in r]
    wall: dict[str, list[float]] = {}
    for record in own:
        made = record.provenance
        wall.setdefault(machine(made.device_name, made.threads), []).append(made.wall_s)
    open_cells = [(cell, why) for cell, why in pair.problems if cell.model.name == model]
    failed = [f"{run_spec(suite, cell).label}: {why}" for cell, why in open_cells if ":" in why]
    notes = [note for record in own for note in _notes(record)]
    return Runs(
        model=model,
        asked=sum(cell.model.name == model for cell in suite.cells),
        shown=len(own),
        stale=sum(record.id in pair.stale for record in own),
        failed=failed,
        missing=len(open_cells) - len(failed),
        command=train_command(suite, model) if open_cells else None,
        wall_s=wall,
        notes=[
            f"{note.rstrip('.')} ({n} of {len(own)} runs)" for note, n in Counter(notes).items()
        ],
    )


def _notes(record: Record) -> list[str]:
    result = training_of(record)
    left_out = result.omitted_arguments | result.omitted_augmentations
    return [*(f"{name} is not used: {why}" for name, why in left_out.items()), *result.notes]
