"""Runs started beside runs shown, so that none can be left out unseen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from bench.records.schema import Record
from bench.report.context import Context
from bench.report.table.model import Cell, Table, columns_of
from bench.specs import RunSpec
from bench.suite import run_spec


def count_table(context: Context, records: Iterable[Record]) -> Table:
    """By model: runs the suite asks for, records of them by status, tries that failed before
    them, and runs shown; then all together."""
    suite, shown = context.collected.suite, context.collected.records
    of_cell = {run_spec(suite, cell).cell_key: cell.model.name for cell in suite.cells}
    asked = Counter(cell.model.name for cell in suite.cells)
    found: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.id):
        if isinstance(record.spec, RunSpec) and record.spec.cell_key in of_cell:
            found[of_cell[record.spec.cell_key]].append(record)
    rows = [
        _row(context, name, asked[name], found[name], [r for r in shown if _model(r) == name])
        for name in asked
    ]
    every = [record for name in asked for record in found[name]]
    rows.append(_row(context, "all", asked.total(), every, shown))
    columns = columns_of(rows, words=["model"])
    title = "Runs started and shown"
    return context.table("verdicts-runs-started", title, columns, rows, read=_READ)


def _model(record: Record) -> str:
    assert isinstance(record.spec, RunSpec)
    return record.spec.model.name


def _row(
    context: Context, name: str, asked: int, records: Sequence[Record], shown: Sequence[Record]
) -> dict[str, Cell]:
    of = {
        "done": [r for r in records if r.status == "done"],
        "failed": [r for r in records if r.status in ("failed", "out-of-memory")],
        "skipped": [r for r in records if r.status == "skipped"],
    }
    tried = [record for record in records if record.attempts]
    tries = sum(len(record.attempts) for record in tried)
    return {
        "model": Cell(name),
        "asked for": Cell(str(asked), asked),
        **{key: context.cell(str(len(own)), len(own), own) for key, own in of.items()},
        "failed tries before": context.cell(str(tries), tries, tried),
        "shown": context.cell(str(len(shown)), len(shown), shown),
    }


_READ = (
    "Everything this suite started stands here, so that no run can have been left out for its "
    "score. *Done* and *failed* are records; *failed tries before* lie in their history."
)
