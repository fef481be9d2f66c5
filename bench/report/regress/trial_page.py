"""The page on the gate's trial, from its one record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from bench.records.store import write_atomic
from bench.regress.faults import FAULTS
from bench.regress.trial_record import NOTHING, WHOLE, Replayed, TrialRecord, Try, load
from bench.report.folder import reports_folder
from bench.report.table.markdown import markdown
from bench.report.text import BLANK, duration
from bench.statistics.intervals import wilson_over_images

PAGE = "regress.md"
ABSENT = (
    "# The gate on trial\n\nNot measured here: `python -m bench regress --trial` measures it.\n"
)

Row = dict[str, str]


def write_trial_page(results: Path) -> Path:
    """Draw the trial below ``results`` as ``reports/regress.md``; returns its path.

    Raises:
        InputError: the record is damaged.
    """
    path = reports_folder(results) / PAGE
    write_atomic(path, trial_page(load(results)).encode())
    return path


def trial_page(record: TrialRecord | None) -> str:
    """The page as Markdown; the same record, the same text."""
    if record is None:
        return ABSENT
    made, spec = record.provenance, record.spec
    stale = " **Stale**: the code that decides it has changed since." if record.stale else ""
    parts = [
        "# The gate on trial",
        f"{spec.about} Each fault is a real change of source, planted in a throw-away tree and "
        "judged against the tree without it, by the part of the gate that should find it (of run "
        "time by one row, of the numbers without noise with two models); *found* asks for the "
        "check that must find it and exit code 1. Faults without a clock are found or not: there "
        "tries only show that it is no accident. "
        f"Measured on {made.processor}, {made.threads} threads, torch "
        f"{made.packages['torch']}; commit {(made.commit or 'unknown')[:12]}.{stale}",
        markdown(fault_rows(record)),
        "## Where nothing was planted",
        "Identical trees, for real; and their raw times drawn anew by blocks and judged again; "
        "*undecided* is exit code 4. A share says how much slower every pass was made in a replay.",
        markdown(nothing_rows(record)),
    ]
    return "\n\n".join(parts) + "\n"


def fault_rows(record: TrialRecord) -> list[Row]:
    """One row a fault."""
    rows = []
    for fault in FAULTS:
        tries = record.of(fault.name)
        right = sum(one.right for one in tries)
        needed = _needed(record, fault.name)
        rows.append(
            {
                "planted": fault.name,
                "must be found by": fault.found_by.rstrip(":"),
                "tries": str(len(tries)),
                "found": _share(right, len(tries)),
                "must be": f"{100 * needed:g} %",
                "verdict": _verdict(right, len(tries), needed),
            }
        )
    return rows


def _needed(record: TrialRecord, name: str) -> float:
    must = record.spec.must
    if name.startswith("throughput"):
        return must.slower_10 if "10 %" in name else must.slower_5
    return must.found


def _verdict(right: int, tries: int, needed: float) -> str:
    if not tries:
        return "not tried"
    return "reached" if right >= math.ceil(needed * tries - 1e-9) else "missed"


def _share(count: int, of: int) -> str:
    if not of:
        return BLANK
    around = wilson_over_images(count, of)
    return f"{count} ({100 * around.low:.0f} to {100 * around.high:.0f} %)"


def nothing_rows(record: TrialRecord) -> list[Row]:
    """Real tries and replays of identical trees, and how long the whole gate takes."""
    must, rows = record.spec.must, []
    for name in (NOTHING, WHOLE):
        tries = record.of(name)
        if tries:
            alarms = sum(not one.right for one in tries)
            undecided = sum(one.exit_code == 4 for one in tries)
            rows.append(
                _row(
                    name, "real", len(tries), alarms, undecided, f"≤ {100 * must.false_alarms:g} %"
                )
            )
    rows += [_replayed(one, record) for one in record.replayed]
    if whole := record.of(WHOLE):
        rows.append(_minutes(whole, must.whole_gate_minutes))
    return rows


def _row(what: str, how: str, of: int, alarms: int, undecided: int, must: str) -> Row:
    return {
        "what": what,
        "how": how,
        "tries": str(of),
        "called a regression": _share(alarms, of),
        "undecided": str(undecided),
        "must be": must,
    }


def _replayed(one: Replayed, record: TrialRecord) -> Row:
    must = record.spec.must
    limit = f"≤ {100 * must.false_alarms:g} %"
    if one.share:
        limit = f"≥ {math.ceil(_needed_of(one, record) * one.replays - 1e-9)}"
    what = f"{one.label}, {100 * one.share:g} % slower" if one.share else one.label
    return _row(what, "replayed", one.replays, one.regressions, one.undecided, limit)


def _minutes(whole: Sequence[Try], most: float) -> Row:
    took = max(one.wall_s for one in whole)
    return {
        "what": "time of the whole gate",
        "how": "real",
        "tries": str(len(whole)),
        "called a regression": BLANK,
        "undecided": BLANK,
        "must be": f"{duration(took)} at most; under {most:g} min",
    }


def passed(record: TrialRecord) -> bool:
    """Whether every limit is reached, and everything was tried."""
    faults = all(row["verdict"] == "reached" for row in fault_rows(record))
    must, whole = record.spec.must, record.of(WHOLE)
    quiet = all(_quiet(record.of(name), must.false_alarms) for name in (NOTHING, WHOLE))
    replays = all(_stands(one, record) for one in record.replayed) and bool(record.replayed)
    fast = bool(whole) and max(one.wall_s for one in whole) < 60 * must.whole_gate_minutes
    return faults and quiet and replays and fast


def _quiet(tries: Sequence[Try], most: float) -> bool:
    return bool(tries) and sum(not one.right for one in tries) <= most * len(tries)


def _stands(one: Replayed, record: TrialRecord) -> bool:
    must = record.spec.must
    if not one.share:
        return one.regressions <= must.false_alarms * one.replays
    return one.regressions >= math.ceil(_needed_of(one, record) * one.replays - 1e-9)


def _needed_of(one: Replayed, record: TrialRecord) -> float:
    must = record.spec.must
    return must.slower_10_replayed if one.share >= 0.1 else must.slower_5
