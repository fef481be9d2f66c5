"""What a suite's tables rest on: code, machines, packages and data, with the commands again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bench.records.schema import Record
from bench.report.context import STALE, Context
from bench.report.table.model import Cell, Table, columns_of
from bench.specs import RunSpec

NAME = "provenance"
_COUNT = "how many"  # records; the CSV keeps their ids in a column called so
_HOURS = "hours"
_KINDS = {"training": "training", "cost": "cost", "detail": "full measurement"}
_VERBS = {"training": "run", "cost": "measure", "detail": "measure --full"}
_DIRTY = "Made with changes that were not committed: the commit alone does not give this code."
Circumstances = tuple[str, ...]


def provenance_table(context: Context) -> Table:
    """One row for records made alike, oldest first."""
    collected = context.collected
    shown = [*collected.records, *collected.costs.values(), *collected.details]
    alike: dict[Circumstances, list[Record]] = defaultdict(list)
    for record in sorted(shown, key=lambda record: (record.provenance.started_at, record.id)):
        alike[_circumstances(context, record)].append(record)
    rows = [_row(context, records) for records in alike.values()]
    words = [key for row in rows for key in row if key not in (_COUNT, "threads", _HOURS)]
    reference = collected.suite.reference
    empty = f"No record: `python -m bench run {reference}` and `… measure {reference}` make them."
    if not collected.suite.cells:
        empty = f"No record: `python -m bench measure {reference}` makes them."
    columns = columns_of(rows, words=words)
    return context.table(NAME, "What the tables rest on", columns, rows, read=_READ, empty=empty)


def _circumstances(context: Context, record: Record) -> Circumstances:
    made = record.provenance
    return (
        record.kind,
        str(made.commit),
        str(made.dirty),
        made.processor,
        made.device_name,
        made.platform,
        str(made.threads),
        _software(record),
        str(record.id in context.collected.stale),
    )


def _row(context: Context, records: Sequence[Record]) -> dict[str, Cell]:
    first = records[0]
    made, count = first.provenance, len(records)
    days = sorted({f"{record.provenance.started_at:%Y-%m-%d}" for record in records})
    machine = [made.processor] + [made.device_name] * (made.device_name != made.processor)
    stale = first.id in context.collected.stale
    dirty = [_DIRTY] if made.dirty else []
    told: dict[str, tuple[str, float | None]] = {
        "what": (_KINDS[first.kind], None),
        _COUNT: (str(count), count),
        "commit": ((made.commit or "unknown")[:12], None),
        "made": (days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}", None),
        "machine": (", ".join(machine), None),
        "threads": (str(made.threads), made.threads),
        _HOURS: _hours(records),
        "software": (_software(first), None),
        "data": (", ".join(_data(records)) or "none", None),
        "code today": ("has changed: stale" if stale else "gives the same", None),
        "again": (_again(context, first), None),
    }
    notes = {"commit": dirty, "code today": [STALE] if stale else []}
    return {key: context.cell(*one, records, notes.get(key, ())) for key, one in told.items()}


def _hours(records: Sequence[Record]) -> tuple[str, float]:
    hours = sum(record.provenance.wall_s for record in records) / 3600
    return f"{hours:.2f}", hours


def _software(record: Record) -> str:
    made = record.provenance
    packages = (f"{name} {version}" for name, version in sorted(made.packages.items()))
    return ", ".join([f"Python {made.python}", *packages, made.platform])


def _data(records: Sequence[Record]) -> list[str]:
    seen = (r.spec.data for r in records if isinstance(r.spec, RunSpec))
    return list(dict.fromkeys(f"{data.name} {data.checksum}" for data in seen))


def _again(context: Context, record: Record) -> str:
    checkout = f"git checkout {record.provenance.commit[:12]}; " if record.provenance.commit else ""
    reference = context.collected.suite.reference
    verb, *flags = _VERBS[record.kind].split()
    command = " ".join(["python -m bench", verb, reference, *flags])
    return f"{checkout}BENCH_RESULTS=again {command}"


_READ = (
    "Records made alike stand in one row: same commit, machine, packages and threads. *Code "
    "today*: whether the code that decides them still gives the same. `python -m bench explain ID` "
    "says the same of one record, with its own command. *Hours*: of the clock, summed over the "
    "records; where several ran at once, or shared rounds, it took less."
)
