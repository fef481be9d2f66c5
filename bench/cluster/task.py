"""What a worker process of the cluster does: one run in a store of its own node, then hand it over.

The node's store is scratch. A finished run is carried from there to the driver, and where there is
a shared store, there first; nothing of it stays. A checkpoint stays until the run is done.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.cluster.board import BoardReporter
from bench.cluster.connect import take_environment
from bench.cluster.fitness import Wanted, code_differences, data_differences
from bench.cluster.mirror import CheckpointMirror
from bench.cluster.scratch import ScratchStore, scratch_folder
from bench.cluster.shared_store import RECORDS, SharedStore, deliver
from bench.errors import BenchError, CannotWrite, InputError
from bench.process import Terminated, raise_terminated
from bench.provenance import processor
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.options import RunOptions
from bench.specs import RunSpec

if TYPE_CHECKING:
    from bench.data.dataset import Dataset
    from bench.execution.one_run import Conditions
    from bench.execution.watcher import Watcher

LOG_BYTES = 65_536  # of a run's log that travel, its end

DoRun = Callable[[RunSpec, "Conditions", "Watcher"], Record | None]
"""As ``bench.execution.one_run.do_run``."""


@dataclass(frozen=True)
class Briefing:
    """What the workers must know of a plan; sent once, not with each run.

    Attributes:
        probe: the driver's file in the shared store, which every node must see.
    """

    suite: SuiteSeen
    wanted: Wanted
    refresh: bool
    options: RunOptions
    shared: SharedStore | None
    do_run: DoRun
    probe: str = ""


@dataclass(frozen=True)
class Outcome:
    """A run that ended, as files hold it.

    Attributes:
        failure: the record of a run that failed; where there is an earlier result, that is kept.
        seconds: that it took a slot.
        unshared: why the shared store does not hold it; the driver does.
    """

    record: bytes
    predictions: bytes | None
    log: str
    seconds: float
    failure: Record | None = None
    unshared: str | None = None


@dataclass(frozen=True)
class Unfit:
    """This node would not give the same results, or lacks the data; nothing was done."""

    node_id: str
    node: str
    why: list[str]


@dataclass(frozen=True)
class Broken:
    """The harness failed, not the run: nothing can go on."""

    problem: str
    exit_code: int | None  # of an error that is one line at the terminal


@dataclass(frozen=True)
class Busy:
    """Another process of this node is doing the run."""


Answer = Outcome | Unfit | Broken | Busy


def do_task(spec: RunSpec, earlier: bytes | None, briefing: list[Any], board: Any) -> Answer:
    """One run, in the order of Ray's scheduler.

    Args:
        earlier: the record of an earlier try, which the new one must mention.
        briefing: the only element is a reference to the ``Briefing``; in a list Ray leaves it one.
    """
    started = time.perf_counter()
    try:
        worker = _Worker.of(briefing[0])
        why = worker.unfit(spec)
        if why:
            return Unfit(worker.node_id, worker.node, why)
        try:
            return worker.do(spec, earlier, board, started)
        except CannotWrite as error:  # its own disk: others may have room
            return Unfit(worker.node_id, worker.node, [str(error)])
    except Terminated:
        os._exit(143)  # told to end: the driver finds the worker gone, the run has no record
    except BenchError as error:
        return Broken(f"on {socket.gethostname()}: {error}", error.exit_code)
    except Exception:
        return Broken(f"on {socket.gethostname()}:\n{traceback.format_exc()}", None)


class _Worker:
    """What a worker process keeps from run to run."""

    _now: tuple[str, _Worker] | None = None  # by the briefing's reference

    def __init__(self, briefing: Briefing) -> None:
        import ray

        signal.signal(signal.SIGTERM, raise_terminated)  # Ray's exit would be the model's failure
        take_environment()
        self._briefing = briefing
        self.node, self.node_id = socket.gethostname(), ray.get_runtime_context().get_node_id()
        self._store = ScratchStore(scratch_folder(self.node_id))
        self._code_unfit: list[str] | None = None
        self._dataset: Dataset | None = None
        self._reporter: BoardReporter | None = None

    @classmethod
    def of(cls, reference: Any) -> _Worker:
        """This process's, made anew for another briefing."""
        import ray

        key = reference.hex()
        if cls._now is None or cls._now[0] != key:
            if cls._now is not None:
                cls._now[1].stop()
            cls._now = (key, cls(ray.get(reference)))
        return cls._now[1]

    def stop(self) -> None:
        """Its driver's plan is over."""
        if self._reporter is not None:
            self._reporter.stop()

    def unfit(self, spec: RunSpec) -> list[str]:
        """Why this node may not do the run: other code, or no such data; looked at once."""
        if self._code_unfit is None:
            self._code_unfit = code_differences(self._briefing.wanted) or shared_differences(
                self._briefing
            )
        if self._code_unfit:
            return self._code_unfit
        if self._dataset is None or self._dataset.source.checksum != spec.data.checksum:
            self._dataset = None  # let go before the next is read
            try:
                self._dataset = self._read(spec)
            except InputError as error:
                return [str(error)]
        return []

    def _read(self, spec: RunSpec) -> Dataset:
        from bench.data import catalog, medmnist

        wanted, name = self._briefing.wanted, spec.data.name
        here = name not in medmnist.info_by_flag() or medmnist.locate(name, wanted.source_size)
        if not here:  # a node never downloads
            raise InputError(f"{name} is not here", remedy="set MEDMNIST_ROOT on this node")
        stream = self._briefing.options.stream
        dataset = catalog.load(wanted.data[name], wanted.source_size, stream=stream)
        if dataset.source.checksum != spec.data.checksum:
            raise InputError(f"{name} is other data here", remedy="copy the driver's")
        return dataset

    def do(self, spec: RunSpec, earlier: bytes | None, board: Any, started: float) -> Answer:
        """The run by the injected function, and what came of it, out of the scratch store."""
        from bench.execution.one_run import Conditions

        told, store = self._briefing, self._store
        dataset = self._dataset
        assert dataset is not None
        if earlier is not None:
            deliver(store, spec.id, earlier, None)
        conditions = Conditions(
            store=store,
            suite=told.suite,
            device_name=_device_name(spec),
            unavailable={},
            dataset=lambda _: dataset,
            refresh=told.refresh,
            options=told.options,
            capture_output=True,
        )
        with CheckpointMirror(told.shared, store.root, spec.id) as mirror:
            record = self._do(spec, conditions, board)
            if record is None:
                return Busy()
            outcome = _taken(store, record, started)
            if told.shared is not None:
                outcome = _shared(told.shared, spec, outcome)
            mirror.discard()
        return outcome

    def _do(self, spec: RunSpec, conditions: Conditions, board: Any) -> Record | None:
        if self._reporter is None:
            self._reporter = BoardReporter(board, self.node)
        try:
            return self._briefing.do_run(spec, conditions, self._reporter)
        finally:
            self._reporter.over()


def check_node(briefing: list[Any]) -> list[str]:
    """In a task of its own on a node: all that is unfit of it, data too."""
    import ray

    take_environment()
    told: Briefing = ray.get(briefing[0])
    return (
        code_differences(told.wanted) or shared_differences(told) or data_differences(told.wanted)
    )


def shared_differences(told: Briefing) -> list[str]:
    """What keeps this node from using the shared store."""
    return [] if told.shared is None else told.shared.differences(told.probe)


def _shared(shared: SharedStore, spec: RunSpec, outcome: Outcome) -> Outcome:
    """The outcome in the shared store too; that it cannot be written there loses no result."""
    try:
        if outcome.predictions is not None:
            shared.write(RECORDS, f"{spec.id}.npz", outcome.predictions)
        shared.write(RECORDS, f"{spec.id}.json", outcome.record)
    except CannotWrite as error:
        return replace(outcome, unshared=str(error))
    return outcome


def _device_name(spec: RunSpec) -> str:
    if spec.device == "cpu":
        return processor()
    import torch

    return torch.cuda.get_device_name()


def _taken(store: Store, record: Record, started: float) -> Outcome:
    """The record's files out of the store; a checkpoint, if any is left, stays."""
    log = store.root / "logs" / f"{record.id}.log"
    content = store.path(record.id).read_bytes()
    predictions = None
    if record.training is not None and store.has_predictions(record):
        predictions = store.predictions_path(record.id).read_bytes()
    said = log.read_bytes()[-LOG_BYTES:].decode(errors="replace") if log.exists() else ""
    for path in (store.path(record.id), store.predictions_path(record.id), log):
        with contextlib.suppress(OSError):
            path.unlink()
    failure = record if record.status != "done" else None
    return Outcome(content, predictions, said, time.perf_counter() - started, failure)
