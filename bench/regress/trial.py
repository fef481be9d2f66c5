"""The gate on trial: each fault planted in a throw-away tree, and trees in which nothing was.

It goes on where it stopped: a try is kept as soon as it is made. Times need a quiet machine.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.provenance import processor
from bench.regress.faults import FAULTS, Fault, plant
from bench.regress.file import GateFile
from bench.regress.gate import Gate
from bench.regress.parts import PARTS
from bench.regress.processes import Probe, look
from bench.regress.record import GateReport, ProcessRow, TimedRow
from bench.regress.replay import Counts, replay_processes, replay_rows
from bench.regress.tree import Tree, baseline_tree
from bench.regress.trial_file import TrialFile
from bench.regress.trial_record import (
    NOTHING,
    WHOLE,
    Replayed,
    TrialRecord,
    Try,
    load,
    regress_digest,
    save,
    try_digest,
)
from bench.run.recording import Clock, made_now
from bench.toml_file import ROOT

REVISION = "HEAD"
MORE = {"more_macs": 0.01, "more_bytes": 0.10}  # shares of what is there
SEED = 0

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Asked:
    """One try that is still to be made."""

    planted: str
    fault: Fault | None
    parts: tuple[str, ...]


def try_gate(
    trial: TrialFile, gate: GateFile, results: Path, on_progress: Progress, *, timed: bool = True
) -> TrialRecord:
    """Make the tries that are missing, then the replays; all is kept under ``results/``.

    Tries that other code made are made anew; a record of another file is begun anew.

    Args:
        timed: also the tries that need a quiet machine.

    Raises:
        InputError: a fault no longer fits the source.
    """
    record = _begun(trial, gate, results)
    todo = list(missing(record, timed=timed))
    with baseline_tree(REVISION, ROOT, gate.packages, gate.imports) as tree:
        amounts = _amounts(tree, gate, trial) if todo else {}
        for number, asked in enumerate(todo):
            on_progress(asked.planted, number / len(todo))
            made = one_try(asked, tree, _reduced(gate, trial, asked), amounts)
            record = record.model_copy(update={"tries": [*record.tries, made]})
            save(record, results)
    on_progress("replays", 1.0)
    record = record.model_copy(update={"replayed": _replays(record, gate)})
    save(record, results)
    return record


def _begun(trial: TrialFile, gate: GateFile, results: Path) -> TrialRecord:
    kept = load(results)
    if kept is not None and kept.spec == trial:
        return kept.model_copy(update={"tries": kept.current})
    made = made_now(regress_digest(), processor(), gate.threads, Clock())
    return TrialRecord(spec=trial, provenance=made)


def missing(record: TrialRecord, *, timed: bool) -> Iterator[Asked]:
    """The tries still to be made, one of each kind in turn: what stops early has some of all."""
    spec, wanted = record.spec, dict[str, tuple[int, Asked]]()
    for fault in FAULTS:
        if timed or not fault.noisy:
            count = spec.timed_tries if fault.noisy else spec.tries
            wanted[fault.name] = (count, Asked(fault.name, fault, (fault.part,)))
    if timed:
        wanted[NOTHING] = (spec.nothing_tries, Asked(NOTHING, None, ("run-time", "processes")))
        wanted[WHOLE] = (spec.whole_tries, Asked(WHOLE, None, PARTS))
    left = {
        name: count - len(record.of(name))
        for name, (count, _) in wanted.items()
        if count > len(record.of(name))
    }
    while left:
        for name in list(left):
            yield wanted[name][1]
            left[name] -= 1
            if left[name] == 0:
                del left[name]


def _reduced(gate: GateFile, trial: TrialFile, asked: Asked) -> GateFile:
    """The gate with as much of each part as the fault needs; whole where nothing was planted."""
    if asked.fault is None or gate.run_time is None:
        return gate
    rows = [row for row in gate.run_time.row if row.label == trial.timed_row]
    return gate.model_copy(
        update={
            "exact": gate.exact.model_copy(update={"models": trial.exact_models}),
            "run_time": gate.run_time.model_copy(update={"row": rows}),
        }
    )


def one_try(asked: Asked, tree: Tree, gate: GateFile, amounts: dict[str, int]) -> Try:
    """Plant, judge, and say whether it was found as it must be."""
    with _copied(tree) as candidate:
        if asked.fault is not None:
            plant(asked.fault, candidate.folder, **amounts)
        report = Gate(gate, candidate, tree, parts=asked.parts).run()
    return Try(
        planted=asked.planted,
        digest=try_digest(asked.planted),
        exit_code=report.exit_code,
        right=_right(asked.fault, report),
        found=[f.name for f in report.findings if f.verdict == "regression"],
        undecided=[f.name for f in report.findings if f.verdict == "too noisy"],
        run_time=report.run_time,
        processes=report.processes,
        wall_s=report.wall_s,
    )


def _right(fault: Fault | None, report: GateReport) -> bool:
    if fault is None:
        return report.exit_code != 1
    found = [f.name for f in report.findings if f.verdict == "regression"]
    return report.exit_code == 1 and any(name.startswith(fault.found_by) for name in found)


@contextmanager
def _copied(tree: Tree) -> Iterator[Tree]:
    with tempfile.TemporaryDirectory(prefix="regress-trial-") as folder:
        target = Path(folder) / "tree"
        shutil.copytree(tree.folder, target, ignore=shutil.ignore_patterns("__pycache__"))
        yield replace(tree, folder=target, label="the planted tree", changed=True)


def _amounts(tree: Tree, gate: GateFile, trial: TrialFile) -> dict[str, int]:
    """What a hundredth of the MACs and a tenth of the memory are."""
    assert gate.processes is not None
    exact = gate.exact.model_dump(mode="json") | {"models": trial.exact_models[:1]}
    (counted,) = look([Probe("exact", tree, exact)], gate)
    (taken,) = look([Probe("process", tree, gate.processes.model_dump(mode="json"))], gate)
    return {
        "more_macs": round(MORE["more_macs"] * counted["models"][trial.exact_models[0]]["macs"]),
        "more_bytes": round(MORE["more_bytes"] * (taken["peak_bytes"] - taken["libraries_bytes"])),
    }


def _replays(record: TrialRecord, gate: GateFile) -> list[Replayed]:
    """From the tries on identical trees; none, where there are none yet."""
    tries, spec = [one for one in record.of(NOTHING) if one.run_time], record.spec
    if not tries or gate.run_time is None or gate.processes is None:
        return []
    rng = np.random.default_rng(SEED)
    by_row: dict[str, list[TimedRow]] = {}
    by_process: dict[str, list[ProcessRow]] = {}
    for one in tries:
        for row in one.run_time:
            by_row.setdefault(row.label, []).append(row)
        for process in one.processes:
            by_process.setdefault(process.label, []).append(process)
    limits = [gate.processes.memory, gate.processes.import_time]
    found = [
        _kept(
            spec.timed_row,
            share,
            replay_rows(
                [by_row[spec.timed_row]],
                gate.run_time,
                share=share,
                replays=spec.replays,
                rng=rng,
            ),
        )
        for share in spec.shares
    ]
    for label, counts in (
        (
            "all rows of run time",
            replay_rows(
                list(by_row.values()),
                gate.run_time,
                share=0.0,
                replays=spec.nothing_replays,
                rng=rng,
            ),
        ),
        (
            "memory and import",
            replay_processes(
                list(by_process.values()),
                limits,
                share=0.0,
                replays=spec.nothing_replays,
                rng=rng,
            ),
        ),
    ):
        found.append(_kept(label, 0.0, counts))
    return found


def _kept(label: str, share: float, counts: Counts) -> Replayed:
    return Replayed(
        label=label,
        share=share,
        replays=counts.replays,
        regressions=counts.regressions,
        undecided=counts.undecided,
    )
