"""Runs one after the other in this process; one that fails is recorded and the next goes on."""

from __future__ import annotations

import time
from collections import Counter, deque

from bench.execution.one_run import Conditions, do_run, take_digests
from bench.execution.watcher import Watcher
from bench.plan import Plan
from bench.records.schema import SuiteSeen
from bench.records.store import Store
from bench.run.options import DEFAULTS, RunOptions
from bench.specs import RunSpec

POLL_S = 2.0  # between looks at runs that other processes are doing


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
    take_digests(todo)
    conditions = Conditions(
        store=store,
        suite=SuiteSeen(name=plan.suite.name, seeds=plan.suite.seeds),
        device_name=plan.device.name,
        unavailable=plan.unavailable,
        dataset=lambda spec: plan.datasets[spec.data.name],
        refresh=refresh,
        options=options,
    )
    statuses, queue, passed_over = Counter[str](), deque(todo), 0
    while queue:
        spec = queue.popleft()
        record = do_run(spec, conditions, watcher)
        if record is None:
            queue.append(spec)
            passed_over += 1
            if passed_over >= len(queue):  # nothing left but what others are doing
                time.sleep(POLL_S)
            continue
        passed_over = 0
        watcher.ended(record)
        statuses[record.status] += 1
    return statuses
