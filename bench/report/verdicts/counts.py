"""Runs started beside runs shown, so that none can be left out unseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.records.schema import Record
from bench.report.accuracy import Row
from bench.report.collect import Collected
from bench.specs import RunSpec
from bench.suite import run_spec


def count_rows(collected: Collected, records: Iterable[Record]) -> list[Row]:
    """By model: runs the suite asks for, records of them by status, tries that failed before
    them, and runs shown; then all together."""
    suite = collected.suite
    of_cell = {run_spec(suite, cell).cell_key: cell.model.name for cell in suite.cells}
    asked = Counter(cell.model.name for cell in suite.cells)
    shown = Counter(_model(record) for record in collected.records)
    statuses: dict[str, Counter[str]] = {name: Counter() for name in asked}
    attempts: Counter[str] = Counter()
    for record in records:
        if isinstance(record.spec, RunSpec) and record.spec.cell_key in of_cell:
            name = of_cell[record.spec.cell_key]
            statuses[name][record.status] += 1
            attempts[name] += len(record.attempts)
    rows = [_row(name, asked[name], statuses[name], attempts[name], shown[name]) for name in asked]
    every = sum(statuses.values(), Counter[str]())
    return [*rows, _row("all", asked.total(), every, attempts.total(), shown.total())]


def _model(record: Record) -> str:
    assert isinstance(record.spec, RunSpec)
    return record.spec.model.name


def _row(name: str, asked: int, statuses: Counter[str], attempts: int, shown: int) -> Row:
    return {
        "model": name,
        "asked for": str(asked),
        "done": str(statuses["done"]),
        "failed": str(statuses["failed"] + statuses["out-of-memory"]),
        "skipped": str(statuses["skipped"]),
        "failed tries before": str(attempts),
        "shown": str(shown),
    }
