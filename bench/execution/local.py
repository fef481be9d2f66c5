"""Runs one after the other in this process; one that fails is recorded and the next goes on."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Protocol

from bench.execution.pending import is_done
from bench.execution.running import RunningFile, claim
from bench.plan import UNAVAILABLE, Plan
from bench.provenance import commit, source_digest
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.options import DEFAULTS, RunOptions
from bench.run.recording import execute, skip
from bench.specs import RunSpec
from bench.training.loop import Progress

POLL_S = 2.0  # between looks at runs that other processes are doing


class Watcher(Protocol):
    """Told what happens, to show it."""

    def started(self, spec: RunSpec) -> None:
        """A run begins."""

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        """A run did another update."""

    def ended(self, record: Record) -> None:
        """A run was recorded, whatever came of it."""


def run_plan(
    plan: Plan,
    todo: list[RunSpec],
    store: Store,
    watcher: Watcher,
    *,
    refresh: bool = False,
    options: RunOptions = DEFAULTS,
) -> Counter[str]:
    """Do these runs of a plan; how many ended with each status.

    A run that another process is doing is left to it and asked for again at the end; what it has
    done by then, or had done before this process looked, is not done twice.

    Raises:
        KeyboardInterrupt: as it comes; runs that ended before are kept.
    """
    seen = SuiteSeen(name=plan.suite.name, seeds=plan.suite.seeds)
    for spec in todo:
        source_digest(spec)  # of the code as it is loaded now, whatever is edited meanwhile
    commit()
    statuses, queue, passed_over = Counter[str](), deque(todo), 0
    while queue:
        spec = queue.popleft()
        with claim(store.root, spec.id) as mine:
            if not mine:
                queue.append(spec)
                passed_over += 1
                if passed_over >= len(queue):  # nothing left but what others are doing
                    time.sleep(POLL_S)
                continue
            passed_over = 0
            record = store.load(spec.id)
            if record is None or not is_done(spec, store, refresh=refresh):
                record = _run_one(plan, spec, store, seen, watcher, options)
        watcher.ended(record)
        statuses[record.status] += 1
    return statuses


def _run_one(
    plan: Plan,
    spec: RunSpec,
    store: Store,
    seen: SuiteSeen,
    watcher: Watcher,
    options: RunOptions,
) -> Record:
    if spec.data.checksum == UNAVAILABLE:
        reason = plan.unavailable[spec.data.name]
        return skip(spec, reason, store=store, suite=seen, device_name=plan.device.name)
    watcher.started(spec)
    with RunningFile(store.root, spec.id, spec.cell_key) as file:

        def on_progress(progress: Progress) -> None:
            file.update(progress.fraction)
            watcher.progressed(spec, progress)

        return execute(
            spec,
            plan.datasets[spec.data.name],
            store=store,
            suite=seen,
            device_name=plan.device.name,
            options=options,
            on_progress=on_progress,
        )
