"""Runs handed to Ray and what becomes of them: kept, done again where a worker is lost, put off."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.cluster.board import LOOK_S, read_board
from bench.cluster.claims import claimed
from bench.cluster.shared_store import RUNNING, deliver
from bench.cluster.task import Answer, Broken, Outcome, Unfit, do_task
from bench.errors import BenchError, CannotReach, one_line
from bench.execution.local import POLL_S
from bench.execution.pending import is_done
from bench.execution.running import RunningFile, log_path
from bench.execution.watcher import Watcher
from bench.plan import UNAVAILABLE, Plan
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.recording import Clock, record_failure, skip
from bench.specs import RunSpec

if TYPE_CHECKING:
    from bench.cluster.ray_engine import RayEngine

log = logging.getLogger(__name__)

AHEAD = 4.0
"""Tasks with Ray for each slot: the next one is there when a slot falls free, and an autoscaler
sees that more are wanted."""


@dataclass
class _Flight:
    """A run that is with Ray."""

    spec: RunSpec
    run_id: str  # kept, since each look at ``spec.id`` makes it anew
    hold: contextlib.ExitStack  # this process's claim to it, and its file in ``running/``
    clock: Clock = field(default_factory=Clock)
    file: RunningFile | None = None
    fraction: float = 0.0


class Dispatch:
    """One call of the engine."""

    def __init__(
        self,
        engine: RayEngine,
        plan: Plan,
        store: Store,
        watcher: Watcher,
        refresh: bool,
        briefing: list[Any],
    ) -> None:
        import ray

        self._engine, self._plan, self._store, self._watcher = engine, plan, store, watcher
        self._refresh, self._briefing = refresh, briefing
        self._suite = SuiteSeen(name=plan.suite.name, seeds=plan.suite.seeds)
        self._task = ray.remote(max_retries=0, **engine.needs.options)(do_task)
        self._named: dict[str, Any] = {}
        self._queue = deque[RunSpec]()
        self._flights: dict[Any, _Flight] = {}
        self._not_before: dict[str, float] = {}  # by id: runs that other processes are doing
        self._losses = Counter[str]()
        self._furthest: dict[str, float] = {}  # by id: fraction at its last loss
        self.statuses = Counter[str]()
        self._looked = 0.0
        self._told_unshared = False

    def without_done(self, todo: list[RunSpec]) -> list[RunSpec]:
        """The runs whose result is not here; of the others it is told."""
        store, refresh = self._store, self._refresh
        left = [spec for spec in todo if not is_done(spec, store, refresh=refresh)]
        waiting = {spec.id for spec in left}
        for spec in todo:
            record = store.load(spec.id) if spec.id not in waiting else None
            if record is not None:
                self._ended(record)
        return left

    def run(self, todo: list[RunSpec]) -> None:
        """Until every run has ended."""
        import ray

        self._board = self._engine.board
        self._queue.extend(todo)
        try:
            while self._queue or self._flights:
                self._hand_out()
                if not self._flights:
                    time.sleep(min(LOOK_S, POLL_S))
                else:
                    waiting = list(self._flights)
                    ray.wait(waiting, timeout=LOOK_S)
                    ready, _ = ray.wait(waiting, num_returns=len(waiting), timeout=0)
                    for reference in ready:
                        self._hear(reference)
                self._look()
        finally:
            self._engine.nodes.stop()
            for flight in self._flights.values():
                flight.hold.close()
            self._flights.clear()
            self._publish()  # nothing of this command is under way any more

    def _hand_out(self) -> None:
        limit = max(1, int(AHEAD * self._engine.nodes.slots))
        tried = 0
        while len(self._flights) < limit and tried < len(self._queue):
            spec = self._queue.popleft()
            if self._not_before and self._not_before.get(spec.id, 0.0) > time.monotonic():
                self._queue.append(spec)
                tried += 1
            else:
                self._give(spec)

    def _give(self, spec: RunSpec) -> None:
        store, hold, run_id = self._store, contextlib.ExitStack(), spec.id
        if not hold.enter_context(claimed(store.root, run_id)):
            hold.close()
            self._put_off(spec)
            return
        earlier = store.load(run_id)
        if earlier is not None and is_done(spec, store, refresh=self._refresh):
            hold.close()
            self._ended(earlier)
        elif spec.data.checksum == UNAVAILABLE:
            with hold:
                record = skip(spec, self._plan.unavailable[spec.data.name], **self._recording())
            self._ended(record)
        else:
            content = store.path(run_id).read_bytes() if earlier is not None else None
            reference = self._task_for(spec).remote(spec, content, self._briefing, self._board)
            self._flights[reference] = _Flight(spec, run_id, hold)

    def _task_for(self, spec: RunSpec) -> Any:
        """The task under a name for the dashboard, kept off the nodes that are set aside.

        Kept, since Ray makes a class each time it is asked for options: those of 10,000 runs would
        wait in memory for Python's collector.
        """
        name, selection = f"{spec.model.name} · {spec.data.name}", self._engine.nodes.selection
        key = f"{name} {selection}"
        if key not in self._named:
            self._named[key] = self._task.options(name=name, **selection)
        return self._named[key]

    def _recording(self) -> dict[str, Any]:
        return {
            "store": self._store,
            "suite": self._suite,
            "device_name": self._plan.device.name,
        }

    def _put_off(self, spec: RunSpec) -> None:
        """Another process is doing it: asked for again later."""
        self._not_before[spec.id] = time.monotonic() + POLL_S
        self._queue.append(spec)

    def _hear(self, reference: Any) -> None:
        import ray

        flight = self._flights.pop(reference)
        try:
            with flight.hold:
                try:
                    answer: Answer = ray.get(reference)
                except ray.exceptions.RayTaskError as error:  # it was not even begun
                    if self._engine.nodes.set_aside_unfit(self._briefing):  # a node came later
                        self._queue.appendleft(flight.spec)
                        return
                    cause = error.cause
                    raise BenchError(
                        f"a node cannot load the harness ({one_line(cause)}); put "
                        "this checkout and its packages there; finished runs are kept"
                    ) from None
                except ray.exceptions.RayError as error:
                    self._lost(flight, error)
                    return
                if isinstance(answer, Outcome):
                    self._keep(flight.run_id, answer)
                    return
        finally:
            self._not_before.pop(flight.run_id, None)
        if isinstance(answer, Broken):
            raise _raised(answer)
        if isinstance(answer, Unfit):
            self._engine.nodes.set_aside(answer)
            self._queue.appendleft(flight.spec)
        else:
            self._put_off(flight.spec)

    def _keep(self, run_id: str, outcome: Outcome) -> None:
        deliver(self._store, run_id, outcome.record, outcome.predictions)
        if outcome.log:
            with contextlib.suppress(OSError):  # for people: without it nothing stops
                path = log_path(self._store.root, run_id)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a", encoding="utf-8") as file:
                    file.write(outcome.log)
        self._engine.nodes.used(outcome.seconds)
        if outcome.unshared is not None and not self._told_unshared:
            log.warning("%s", outcome.unshared)
            self._told_unshared = True
        self._ended(outcome.failure or Record.model_validate_json(outcome.record))

    def _lost(self, flight: _Flight, error: Exception) -> None:
        """Its worker or its node is gone: it is done again, unless that is its own doing."""
        spec, run_id = flight.spec, flight.run_id
        further = flight.fraction > self._furthest.get(run_id, 0.0)
        self._furthest[run_id] = max(flight.fraction, self._furthest.get(run_id, 0.0))
        self._losses[run_id] = 1 if further else self._losses[run_id] + 1
        self._engine.nodes.lost += 1
        shared = self._engine.shared
        if shared is not None:
            with contextlib.suppress(CannotReach):  # then it is done again
                shared.pull(self._store, {run_id})
        if not self.without_done([spec]):  # it had just ended
            return
        if self._losses[run_id] < self._engine.losses:
            self._queue.appendleft(spec)
            return
        said = " ".join(str(error).split())[:200]
        times = self._engine.losses
        reason = f"its worker was lost {times} times in a row at the same place ({said})"
        self._ended(record_failure(spec, reason, clock=flight.clock, **self._recording()))

    def _ended(self, record: Record) -> None:
        self._watcher.ended(record)
        self.statuses[record.status] += 1

    def _look(self) -> None:
        """At the board and the cluster, now and then."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        if self._engine.nodes.look():
            self._engine.on_slots(self._engine.nodes.slots, self._engine.nodes.utilisation)
            self._publish()
        flights = {flight.run_id: flight for flight in self._flights.values()}
        for news in read_board(self._board):
            flight = flights.get(news.run_id)
            if flight is not None:
                self._see(flight, news.progress)

    def _see(self, flight: _Flight, fields: dict[str, Any] | None) -> None:
        from bench.training.loop import Progress

        spec = flight.spec
        if flight.file is None:
            flight.file = flight.hold.enter_context(
                RunningFile(self._store.root, spec.id, spec.cell_key)
            )
            self._watcher.started(spec)
        if fields is not None:
            progress = Progress(**fields)
            flight.fraction = progress.fraction
            flight.file.update(progress.fraction)
            self._watcher.progressed(spec, progress)

    def _publish(self) -> None:
        """Which runs are under way, in the shared store: ``status`` reads it anywhere.

        Only of this suite's runs: those of others, and locks, are theirs who wrote them.
        """
        shared = self._engine.shared
        if shared is None or shared.is_same_as(self._store):
            return
        with contextlib.suppress(BenchError):  # it only informs
            runs = {f"{spec.id}.json" for spec in self._plan.runs}
            told = (flight for flight in self._flights.values() if flight.file is not None)
            here = {f"{flight.run_id}.json" for flight in told}
            for name in (shared.names(RUNNING) & runs) - here:
                shared.remove(RUNNING, name)
            for name in here:
                with contextlib.suppress(FileNotFoundError):
                    shared.write(RUNNING, name, (self._store.root / RUNNING / name).read_bytes())


def _raised(broken: Broken) -> Exception:
    if broken.exit_code is None:
        return RuntimeError(broken.problem)
    error = BenchError(broken.problem)
    error.exit_code = broken.exit_code
    return error
