"""Runs started beside runs published, so that what was left out can be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.plan import present_checksums
from bench.records.schema import Record
from bench.report.collect import collect
from bench.specs import RunSpec
from bench.suite import Suite, run_spec


@dataclass(frozen=True)
class Traced:
    """One suite's runs, by what became of them.

    Attributes:
        asked: how many runs the suite lists.
        started: records of these, of every status.
        attempts: tries before those that did not end in a result.
        statuses: of the records.
        shown: ids in its tables.
        hidden: finished ones that are not, as ``id label``.
        dropped_seeds: that the suite once asked for, by its records, and lists no more.
    """

    suite: str
    asked: int
    started: int
    attempts: int
    statuses: Counter[str]
    shown: frozenset[str]
    hidden: list[str]
    dropped_seeds: list[int]

    @property
    def lines(self) -> list[str]:
        """For people."""
        statuses = ", ".join(f"{n} {status}" for status, n in sorted(self.statuses.items()))
        lines = [
            f"{self.suite}: {self.asked} runs asked for, {self.started} started "
            f"({statuses or 'none'}; {self.attempts} failed attempts before), "
            f"{len(self.shown)} published, {self.asked - len(self.shown)} not."
        ]
        lines += [f"{self.suite}: finished and in no table: {hidden}" for hidden in self.hidden]
        if self.dropped_seeds:
            seeds = ", ".join(map(str, self.dropped_seeds))
            lines.append(f"{self.suite}: records were made for seeds it lists no more: {seeds}")
        return lines


def trace(suite: Suite, records: Sequence[Record]) -> Traced:
    """Count a suite's runs."""
    keys = {run_spec(suite, cell).cell_key for cell in suite.cells}
    runs = [record for record in records if isinstance(record.spec, RunSpec)]
    own = [r for r in runs if isinstance(r.spec, RunSpec) and r.spec.cell_key in keys]
    shown = {record.id for record in collect(suite, records, present_checksums(suite)).records}
    once = {seed for r in runs if r.suite and r.suite.name == suite.name for seed in r.suite.seeds}
    return Traced(
        suite=suite.name,
        asked=len(suite.cells),
        started=len(own),
        attempts=sum(len(record.attempts) for record in own),
        statuses=Counter(record.status for record in own),
        shown=frozenset(shown),
        hidden=[f"{r.id} {r.spec.label}" for r in own if r.status == "done" and r.id not in shown],
        dropped_seeds=sorted(once - set(suite.seeds)) if suite.cells else [],
    )


def unpublished(records: Sequence[Record], shown: set[str]) -> list[str]:
    """Lines on trainings that no table of the suites looked at shows: how many, and which."""
    runs = [r for r in records if isinstance(r.spec, RunSpec)]
    hidden = [record for record in runs if record.id not in shown]
    attempts = sum(len(record.attempts) for record in runs)
    lines = [
        f"all: {len(runs)} trainings recorded, {attempts} failed attempts before; "
        f"{len(runs) - len(hidden)} published, {len(hidden)} in no table."
    ]
    return lines + [f"in no table: {r.id} {r.spec.label}: {r.status}" for r in hidden]
