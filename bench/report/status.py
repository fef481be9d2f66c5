"""How far a suite is: done, running, failed, stale, missing, and the time left."""

from __future__ import annotations

import fcntl
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from bench.execution.estimate import Estimator, shared_out
from bench.execution.running import Running, running
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.collect import collect, training_of
from bench.report.reading import read_all
from bench.report.text import duration
from bench.specs import RunSpec
from bench.staleness import Staleness
from bench.suite import Suite, run_spec

SILENT_S = 600.0
"""After which a run of another host that holds no lock is gone: it speaks every few seconds."""


def status_lines(suite: Suite, store: Store, checksums: Mapping[str, str]) -> list[str]:
    """One line a cell that is not done or is stale, then the counts and the time left.

    Raises:
        InputError: a record is damaged.
    """
    records = read_all(store)
    collected = collect(suite, records, checksums, Staleness.load(store.root))
    active = {
        state.cell_key: state
        for state in running(store.root).values()
        if not _abandoned(store.root, state)
    }
    under_way_now = dict(active)
    lines, counts = [], Counter[str]()
    asked = suite.settings.device
    device: Literal["cpu", "cuda"] = "cpu" if asked == "auto" else asked
    wanted = [run_spec(suite, cell, device=device) for cell, _ in collected.problems]

    def under_way(spec: RunSpec) -> bool:
        state = active.pop(spec.cell_key, None)
        if state is not None:
            counts["running"] += 1
            done = f"{state.fraction:.0%} after {duration(state.seconds)}"
            where = f"process {state.pid} on {state.host}"
            lines.append(f"running  {spec.label}: {done}, {where}")
        return state is not None

    for record in collected.records:
        assert isinstance(record.spec, RunSpec)
        if under_way(record.spec):  # made anew
            continue
        stale = record.id in collected.stale
        lost = not store.has_predictions(record)
        counts["lost" if lost else "stale" if stale else "done"] += 1
        if lost:
            wanted.append(record.spec)
            lines.append(
                f"lost     {record.spec.label} ({record.id}): its predictions are gone or changed; "
                f"`python -m bench run {suite.reference}` makes it anew"
            )
        elif stale:
            lines.append(f"stale    {record.spec.label} ({record.id}): its code has changed since")
    for cell, why in collected.problems:
        spec = run_spec(suite, cell)
        label = spec.label
        if under_way(spec):
            continue
        word = "missing" if why == "not run yet" else why.partition(":")[0]
        counts[word] += 1
        lines.append(f"{word:8} {label}" + ("" if word == "missing" else f": {why}"))
    summary = ", ".join(f"{n} {word}" for word, n in sorted(counts.items())) or "no runs"
    time_left = _time_left(wanted, records, under_way_now)
    lines.append(f"{suite.name}: {summary}; time left {time_left}.")
    lines.append(f"cost: {len(collected.costs)} measured, {len(collected.cost_problems)} missing.")
    return lines


def _abandoned(results: Path, state: Running) -> bool:
    """Whether a run that another host said to be under way was killed there.

    Its lock, which lies beside, is free then; since some file systems keep locks to one host, it
    must also have been silent. A copy out of a shared store has no lock and is believed.
    """
    if state.host == socket.gethostname():  # its process was asked for
        return False
    folder = results / "running"
    try:
        with (folder / f"{state.id}.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return time.time() - (folder / f"{state.id}.json").stat().st_mtime > SILENT_S
    except OSError:  # it is held, or is not there, or there are no locks
        return False


def _time_left(
    wanted: Sequence[RunSpec], records: list[Record], active: Mapping[str, Running]
) -> str:
    """For the runs without a result that can be used, by as many workers as are at it now."""
    if not wanted:
        return "none"
    estimator = Estimator(records)
    images = {
        record.spec.data.name: training_of(record).data.images["train"]
        for record in records
        if isinstance(record.spec, RunSpec) and record.training is not None
    }
    under_way, waiting = [], []
    for spec in wanted:
        count = images.get(spec.data.name)
        expected = estimator.seconds(spec, count) if count else None
        if expected is None:
            return "unknown (nothing like it was run here yet)"
        state = active.get(spec.cell_key)
        if state is None:
            waiting.append(expected)
        else:
            under_way.append(expected * (1 - state.fraction))
    return f"about {duration(shared_out(under_way, waiting, max(1, len(under_way))))}"
