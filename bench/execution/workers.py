"""Several worker processes on this machine take runs from one queue, which is held here.

Which worker does a run decides nothing of its result: threads, seeds and data are the run's own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections import Counter, deque
from collections.abc import Iterable
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from bench.execution.local import POLL_S
from bench.execution.one_run import take_digests
from bench.execution.places import Place
from bench.execution.run_log import RunLog
from bench.execution.running import claim, forget
from bench.execution.watcher import Watcher
from bench.execution.worker import (
    HELD_BACK,
    Briefing,
    Broken,
    Progressed,
    Report,
    Started,
    work,
)
from bench.plan import Plan
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.options import DEFAULTS, RunOptions
from bench.run.recording import Clock, record_failure
from bench.specs import RunSpec

GRACE_S = 3.0
"""What a worker that is told to end has to unwind; it is killed after that."""

SETTLE_S = 1.0
"""Between a worker's death and its record: what ended it may be about to end this process too
(Slurm, systemd), and then the run was interrupted, it did not fail."""

SPAWN = multiprocessing.get_context("spawn")


def run_with_workers(
    plan: Plan,
    todo: list[RunSpec],
    store: Store,
    watcher: Watcher,
    places: list[Place],
    *,
    refresh: bool = False,
    options: RunOptions = DEFAULTS,
) -> Counter[str]:
    """Do these runs as ``bench.execution.local.run_plan`` does, one worker in each place.

    A worker reads the data it needs by itself, so the plan's is let go here. One that dies leaves
    its run as failed, and another takes its place.

    Raises:
        KeyboardInterrupt, Terminated: as they come, once every worker has ended; runs that ended
            before are kept, those under way leave no record.
        Exception: what a worker met outside of any run, such as a full disk.
    """
    if not todo:
        return Counter()
    take_digests(todo)
    plan.datasets.clear()
    briefing = Briefing(
        suite=plan.suite,
        device_name=plan.device.name,
        store=store,
        unavailable=plan.unavailable,
        models=list({spec.model.name: spec for spec in todo}.values()),
        refresh=refresh,
        options=options,
    )
    workers = [_Worker(place, briefing) for place in places]
    try:
        return _Dispatch(workers, todo, briefing, watcher).run()
    finally:
        _end(workers)


class _Worker:
    """A worker process as its parent sees it; it is started when there is a run for it."""

    def __init__(self, place: Place, briefing: Briefing) -> None:
        self._place, self._briefing = place, briefing
        self.process: SpawnProcess | None = None
        self.connection: Connection | None = None
        self.spec: RunSpec | None = None  # under way; None: idle
        self.clock = Clock()

    def give(self, spec: RunSpec) -> None:
        if self.process is None or not self.process.is_alive():
            self._start()
        assert self.connection is not None
        self.spec, self.clock = spec, Clock()
        with contextlib.suppress(OSError):  # it died just now: the end of the pipe will tell
            self.connection.send(spec)

    def _start(self) -> None:
        self.bury()
        self.connection, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=work, args=(theirs, self._briefing, self._place))
        resource_tracker.ensure_running()  # else start() would, and let the signals through
        # A child inherits what is blocked: no signal finds it half made, nor this process.
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
            theirs.close()

    def bury(self) -> int | None:
        """Wait for a worker that has closed its pipe; its exit code, negative for a signal."""
        if self.connection is not None:
            self.connection.close()
        self.connection, process, self.process = None, self.process, None
        if process is None:
            return None
        process.join(GRACE_S)
        if process.is_alive():
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        return code


class _Dispatch:
    """Hands runs out and hears what becomes of them."""

    def __init__(
        self, workers: list[_Worker], todo: list[RunSpec], briefing: Briefing, watcher: Watcher
    ) -> None:
        self._workers, self._briefing, self._watcher = workers, briefing, watcher
        self._queue = deque(todo)
        self._not_before: dict[str, float] = {}  # by id: runs that other processes are doing
        self._statuses = Counter[str]()

    def run(self) -> Counter[str]:
        while self._queue or any(worker.spec for worker in self._workers):
            self._hand_out()
            open_pipes = {w.connection: w for w in self._workers if w.connection is not None}
            for pipe in wait(list(open_pipes), timeout=POLL_S if self._queue else None):
                self._hear(open_pipes[pipe])  # type: ignore[index]
        return self._statuses

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.spec is None:
                spec = self._next()
                if spec is None:
                    return
                worker.give(spec)

    def _next(self) -> RunSpec | None:
        """The first run that is not put off."""
        now = time.monotonic()
        for spec in self._queue:
            if self._not_before.get(spec.id, now) <= now:
                self._queue.remove(spec)
                return spec
        return None

    def _hear(self, worker: _Worker) -> None:
        assert worker.connection is not None
        try:
            report: Report = worker.connection.recv()
        except (EOFError, OSError):
            self._died(worker)
            return
        if isinstance(report, Broken):
            raise report.error
        spec = worker.spec
        assert spec is not None
        if isinstance(report, Started):
            self._watcher.started(spec)
        elif isinstance(report, Progressed):
            self._watcher.progressed(spec, report.progress)
        else:
            worker.spec = None
            if report.record is not None:
                self._ended(report.record)
            else:
                self._put_off(spec)

    def _put_off(self, spec: RunSpec) -> None:
        """Another process is doing it: asked for again later."""
        self._not_before[spec.id] = time.monotonic() + POLL_S
        self._queue.append(spec)

    def _died(self, worker: _Worker) -> None:
        code, spec = worker.bury(), worker.spec
        worker.spec = None
        if spec is None:  # it had nothing to do: another is started when there is
            return
        time.sleep(SETTLE_S)
        told, store = self._briefing, self._briefing.store
        with claim(store.root, spec.id) as mine:
            if not mine:  # another process has taken it up since
                self._put_off(spec)
                return
            record = record_failure(
                spec,
                _reason(code),
                store=store,
                suite=SuiteSeen(name=told.suite.name, seeds=told.suite.seeds),
                device_name=told.device_name,
                clock=worker.clock,
            )
            forget(store.root, spec.id)
        with RunLog(store.root, spec.id) as log:
            log.ended(record)
        self._ended(record)

    def _ended(self, record: Record) -> None:
        self._watcher.ended(record)
        self._statuses[record.status] += 1


def _reason(code: int | None) -> str:
    if code is not None and code < 0:
        number = -code
        return f"its worker process was ended by signal {number} ({signal.Signals(number).name})"
    return f"its worker process ended with exit code {code}"


def _end(workers: Iterable[_Worker]) -> None:
    """End every worker: idle ones by closing the pipe, others by SIGTERM, then by SIGKILL.

    A second Ctrl-C kills at once.
    """
    alive = [worker for worker in workers if worker.process is not None]
    for worker in alive:
        assert worker.process is not None
        if worker.spec is not None:
            worker.process.terminate()
        elif worker.connection is not None:
            worker.connection.close()
    try:
        until = time.monotonic() + GRACE_S
        for worker in alive:
            assert worker.process is not None
            worker.process.join(max(0.0, until - time.monotonic()))
    finally:
        for worker in alive:
            assert worker.process is not None
            worker.process.kill()
            worker.process.join()
