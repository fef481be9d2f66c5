"""The engine that hands the runs of a plan to Ray as tasks; Ray alone decides where each is done.

The driver keeps a bounded number of tasks with Ray, so its memory does not grow with the suite,
and writes each record as it comes.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.cluster.board import read_board, start_board
from bench.cluster.fitness import refusal, wanted_for
from bench.cluster.needs import Needs
from bench.cluster.nodes import Nodes, node_reports
from bench.cluster.order import longest_first
from bench.cluster.shared_store import RUNNING, SharedStore, deliver
from bench.cluster.task import Answer, Briefing, Broken, DoRun, Outcome, Unfit, do_task
from bench.errors import BenchError, InputError
from bench.execution.local import POLL_S
from bench.execution.one_run import do_run, take_digests
from bench.execution.pending import is_done
from bench.execution.running import RunningFile, claim, log_path
from bench.execution.watcher import Watcher
from bench.plan import UNAVAILABLE, Plan
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.options import DEFAULTS, RunOptions
from bench.run.recording import Clock, record_failure, skip
from bench.specs import RunSpec

log = logging.getLogger(__name__)

AHEAD = 2.0
"""Tasks with Ray for each slot: the next one is there when a slot falls free, and an autoscaler
sees that more are wanted."""

LOOK_S = 0.5
"""Between looks at the board."""

LOSSES = 8
"""So often in a row a run may lose its worker without coming further; then it is to blame."""


@dataclass
class RayEngine:
    """An ``Engine`` on the Ray cluster that this process has joined (``connect.connected``).

    Attributes:
        needs: what each run takes of a node.
        shared: where checkpoints outlive their node; None: a run whose node is lost begins anew.
        seconds: expected time of a run, for the order.
        on_slots: told how many runs have room at once and which share of them was used so far.
        do_run: what does a run on a worker; another one for trials of the engine itself.
    """

    needs: Needs
    shared: SharedStore | None = None
    seconds: Callable[[RunSpec], float | None] = lambda _: None
    on_slots: Callable[[int, float], None] = lambda slots, used: None
    do_run: DoRun = do_run
    nodes: Nodes = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = Nodes(self.needs)

    def __call__(
        self,
        plan: Plan,
        todo: list[RunSpec],
        store: Store,
        watcher: Watcher,
        /,
        *,
        refresh: bool = False,
        options: RunOptions = DEFAULTS,
    ) -> Counter[str]:
        """See ``Engine``.

        Raises:
            InputError: no node has room for a run, or a node would not give the same results.
        """
        import ray

        if not todo:
            return Counter()
        take_digests(todo)
        wanted = wanted_for(plan, todo)
        plan.datasets.clear()
        seen = SuiteSeen(name=plan.suite.name, seeds=plan.suite.seeds)
        briefing = Briefing(seen, wanted, refresh, options, self.shared, self.do_run)
        reference = [ray.put(briefing)]
        self._check(reference)
        if self.shared is not None:
            self.shared.pull(store, {spec.id for spec in todo})
        dispatch = _Dispatch(self, plan, store, watcher, refresh, reference)
        return dispatch.run(longest_first(todo, self.seconds))

    def _check(self, reference: list[Any]) -> None:
        self.nodes.look()
        if not self.nodes.slots:
            raise InputError(
                f"no node of the cluster has room for a run ({self.needs})",
                remedy="add nodes, or let a run take less",
                key="--engine ray",
            )
        unfit = node_reports(self.nodes.fitting, reference)
        if unfit:
            raise refusal(unfit)


@dataclass
class _Flight:
    """A run that is with Ray."""

    spec: RunSpec
    claimed: contextlib.ExitStack  # this process's claim to it, and its file in ``running/``
    clock: Clock = field(default_factory=Clock)
    file: RunningFile | None = None
    fraction: float = 0.0


class _Dispatch:
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
        self._board = start_board()
        self._queue = deque[RunSpec]()
        self._flights: dict[Any, _Flight] = {}
        self._not_before: dict[str, float] = {}  # by id: runs that other processes are doing
        self._losses = Counter[str]()
        self._furthest: dict[str, float] = {}  # by id: fraction at its last loss
        self._statuses = Counter[str]()
        self._looked = 0.0

    def run(self, todo: list[RunSpec]) -> Counter[str]:
        """Until every run has ended."""
        import ray

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
            return self._statuses
        finally:
            self._engine.nodes.stop()
            for flight in self._flights.values():
                flight.claimed.close()

    def _hand_out(self) -> None:
        limit = max(1, int(AHEAD * self._engine.nodes.slots))
        tried = 0
        while len(self._flights) < limit and tried < len(self._queue):
            spec = self._queue.popleft()
            if self._not_before.get(spec.id, 0.0) > time.monotonic():
                self._queue.append(spec)
                tried += 1
            else:
                self._give(spec)

    def _give(self, spec: RunSpec) -> None:
        store, claimed = self._store, contextlib.ExitStack()
        if not claimed.enter_context(claim(store.root, spec.id)):
            claimed.close()
            self._put_off(spec)
            return
        earlier = store.load(spec.id)
        if earlier is not None and is_done(spec, store, refresh=self._refresh):
            claimed.close()
            self._ended(earlier)
        elif spec.data.checksum == UNAVAILABLE:
            with claimed:
                record = skip(spec, self._plan.unavailable[spec.data.name], **self._recording())
            self._ended(record)
        else:
            content = store.path(spec.id).read_bytes() if earlier is not None else None
            task = self._task.options(name=spec.label, **self._engine.nodes.selection)
            reference = task.remote(spec, content, self._briefing, self._board)
            self._flights[reference] = _Flight(spec, claimed)

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
            with flight.claimed:
                try:
                    answer: Answer = ray.get(reference)
                except ray.exceptions.RayError as error:
                    self._lost(flight, error)
                    return
                if isinstance(answer, Outcome):
                    self._keep(flight.spec, answer)
                    return
        finally:
            self._not_before.pop(flight.spec.id, None)
        if isinstance(answer, Broken):
            raise _raised(answer)
        if isinstance(answer, Unfit):
            self._engine.nodes.set_aside(answer)
            self._queue.appendleft(flight.spec)
        else:
            self._put_off(flight.spec)

    def _keep(self, spec: RunSpec, outcome: Outcome) -> None:
        deliver(self._store, spec.id, outcome.record, outcome.predictions)
        with contextlib.suppress(OSError):  # for people: that it cannot be written stops nothing
            path = log_path(self._store.root, spec.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(outcome.log)
        self._engine.nodes.used(outcome.seconds)
        self._ended(Record.model_validate_json(outcome.record))

    def _lost(self, flight: _Flight, error: Exception) -> None:
        """Its worker or its node is gone: it is done again, unless that is its own doing."""
        spec = flight.spec
        further = flight.fraction > self._furthest.get(spec.id, 0.0)
        self._furthest[spec.id] = max(flight.fraction, self._furthest.get(spec.id, 0.0))
        self._losses[spec.id] = 1 if further else self._losses[spec.id] + 1
        self._engine.nodes.lost += 1
        if self._losses[spec.id] < LOSSES:
            self._queue.appendleft(spec)
            return
        said = " ".join(str(error).split())[:200]
        reason = f"its worker was lost {LOSSES} times in a row at the same place ({said})"
        self._ended(record_failure(spec, reason, clock=flight.clock, **self._recording()))

    def _ended(self, record: Record) -> None:
        self._watcher.ended(record)
        self._statuses[record.status] += 1

    def _look(self) -> None:
        """At the board and the cluster, now and then."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        if self._engine.nodes.look():
            self._engine.on_slots(self._engine.nodes.slots, self._engine.nodes.utilisation)
            self._publish()
        flights = {flight.spec.id: flight for flight in self._flights.values()}
        for news in read_board(self._board):
            flight = flights.get(news.run_id)
            if flight is not None:
                self._see(flight, news.progress)

    def _see(self, flight: _Flight, fields: dict[str, Any] | None) -> None:
        from bench.training.loop import Progress

        spec = flight.spec
        if flight.file is None:
            flight.file = flight.claimed.enter_context(
                RunningFile(self._store.root, spec.id, spec.cell_key)
            )
            self._watcher.started(spec)
        if fields is not None:
            progress = Progress(**fields)
            flight.fraction = progress.fraction
            flight.file.update(progress.fraction)
            self._watcher.progressed(spec, progress)

    def _publish(self) -> None:
        """Which runs are under way, in the shared store: ``status`` reads it anywhere."""
        shared = self._engine.shared
        if shared is None or shared.folder == self._store.root:
            return
        with contextlib.suppress(BenchError):  # it only informs
            here = {path.name for path in (self._store.root / RUNNING).glob("*.json")}
            for name in shared.names(RUNNING) - here:
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
