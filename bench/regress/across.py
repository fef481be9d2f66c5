"""Against a record of a revision whose code is not at hand: what still can be said, and what not.

Numbers without noise hold on any machine. Times are compared on the record's own machine alone,
against the yardstick, and with limits as wide as processes were seen to differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from bench.regress.file import Limit, Processes, RunTime
from bench.regress.history import Revision
from bench.regress.judge import relative_to_yardstick
from bench.regress.record import ExactOf, Finding, Kind, Machine, ProcessRow, TimedRow, Verdict

ELSEWHERE = "the baseline was measured by another machine or packages: {}"

ABSENT = "the baseline's record has it not, or of other settings"


def _where(machine: Machine) -> str:
    """What times and memory are of: names of processors alone may be as broad as ``AMD EPYC``."""
    packages = ", ".join(f"{name} {version}" for name, version in sorted(machine.packages.items()))
    return f"{machine.processor} ({machine.capability}), Python {machine.python}, {packages}"


def exact_of(revision: Revision, models: Sequence[str]) -> ExactOf:
    """The record's exact numbers of the models asked for."""
    kept = {name: revision.exact[name] for name in models if name in revision.exact}
    absent = [name for name in models if name not in kept]
    return ExactOf(machine=revision.machine, models=kept, absent=absent)


def across_findings(
    rows: Sequence[TimedRow], revision: Revision, machine: Machine, spec: RunTime
) -> list[Finding]:
    """Rows of run time against the record's, by the ratio to the yardstick."""
    return [
        _finding(
            row.label,
            "run time",
            revision.relative.get(row.label),
            relative_to_yardstick(row),
            revision,
            machine,
            spec.across_processes,
        )
        for row in rows
    ]


def process_findings_across(
    rows: Sequence[ProcessRow], revision: Revision, machine: Machine, spec: Processes
) -> list[Finding]:
    """Memory and import time against the record's."""
    return [
        _finding(
            row.label,
            "process",
            revision.processes.get(row.label),
            median(row.candidate),
            revision,
            machine,
            limit,
        )
        for row, limit in zip(rows, (spec.memory, spec.import_time), strict=True)
    ]


def _finding(
    name: str,
    kind: Kind,
    before: float | None,
    after: float,
    revision: Revision,
    machine: Machine,
    limit: Limit,
) -> Finding:
    if _where(machine) != _where(revision.machine):
        says = ELSEWHERE.format(_where(revision.machine))
        return Finding(name=name, kind=kind, verdict="needs this machine", says=says)
    if before is None:
        return Finding(name=name, kind=kind, verdict="not measured", says=ABSENT)
    ratio = after / before
    verdict: Verdict = "regression" if ratio > 1 + limit.minimum_effect else "pass"
    return Finding(
        name=name,
        kind=kind,
        verdict=verdict,
        baseline="1",
        candidate=f"{ratio:.3f}",
        change=f"{100 * (ratio - 1):+.1f} %",
        sure=f"another process: less than {100 * limit.minimum_effect:g} % cannot be told",
    )
