"""A worker process: takes runs from its parent through a pipe and reports what they do.

Nothing here imports torch before the process is in its place: CUDA reads which GPUs it may see
once, and OpenMP its cores.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import signal
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, NoReturn

from bench.errors import BenchError
from bench.execution.places import Place
from bench.process import Terminated, end_with_parent, raise_terminated
from bench.provenance import processor
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.options import RunOptions
from bench.specs import RunSpec
from bench.suite import Suite

if TYPE_CHECKING:
    from bench.data.dataset import Dataset
    from bench.training.loop import Progress

REPORT_EVERY_S = 0.2
"""More than a screen shows; each update of a small network would be hundreds a second."""

HELD_BACK = (signal.SIGINT, signal.SIGTERM)
"""Signals that a worker is born with blocked, until it is ready for them."""


@dataclass(frozen=True)
class Briefing:
    """What a worker needs to know before its first run.

    Attributes:
        models: a run of each model that may come, to digest its code as it is loaded.
    """

    suite: Suite
    device_name: str
    store: Store
    unavailable: dict[str, str]
    models: list[RunSpec]
    refresh: bool
    options: RunOptions


@dataclass(frozen=True)
class Started:
    """The run has begun."""


@dataclass(frozen=True)
class Progressed:
    """Where the run stands."""

    progress: Progress


@dataclass(frozen=True)
class Ended:
    """What came of the run; None: another process is doing it."""

    record: Record | None


@dataclass(frozen=True)
class Broken:
    """The harness failed, not the run: nothing can go on."""

    error: Exception


Report = Started | Progressed | Ended | Broken


def work(connection: Connection, briefing: Briefing, place: Place) -> None:
    """A worker's life, until the pipe is closed. Ctrl-C is its parent's to answer."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, raise_terminated)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
        faulthandler.enable()  # a crash of C code says where, in the run's log
        _settle(place)
        _serve(connection, briefing)
    except Terminated:
        _die_of(signal.SIGTERM)
    except Exception as error:
        with contextlib.suppress(OSError):
            connection.send(Broken(_sendable(error)))


def _settle(place: Place) -> None:
    processor()  # kept: records name the whole machine, not this worker's share
    if place.cores is not None:
        os.sched_setaffinity(0, place.cores)
    if place.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = place.gpu


def _serve(connection: Connection, briefing: Briefing) -> None:
    from bench.execution.one_run import Conditions, do_run, take_digests

    take_digests(briefing.models)
    device_name = briefing.device_name
    if briefing.models[0].device == "cuda":
        import torch

        device_name = torch.cuda.get_device_name()  # of this worker's own
    conditions = Conditions(
        store=briefing.store,
        suite=SuiteSeen(name=briefing.suite.name, seeds=briefing.suite.seeds),
        device_name=device_name,
        unavailable=briefing.unavailable,
        dataset=_DatasetAtHand(briefing.suite, stream=briefing.options.stream),
        refresh=briefing.refresh,
        options=briefing.options,
        capture_output=True,
    )
    reporter = _Reporter(connection)
    while True:
        try:
            spec: RunSpec = connection.recv()
        except EOFError:
            return
        reporter.send(Ended(do_run(spec, conditions, reporter)))


class _Reporter:
    """A ``Watcher`` that tells the parent."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._sent = connection, 0.0

    def send(self, report: Report) -> None:
        try:
            self._connection.send(report)
        except OSError:  # the parent is gone: unwind as if told to, the run leaves no record
            raise Terminated from None

    def started(self, spec: RunSpec) -> None:
        self.send(Started())

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._sent >= REPORT_EVERY_S:
            self._sent = now
            self.send(Progressed(progress))

    def ended(self, record: Record) -> None:
        """Said by ``Ended``."""


class _DatasetAtHand:
    """The data of the run at hand, read from disk: runs of one data set follow each other."""

    def __init__(self, suite: Suite, *, stream: bool) -> None:
        self._suite, self._stream = suite, stream
        self._held: Dataset | None = None

    def __call__(self, spec: RunSpec) -> Dataset:
        from bench.errors import RunFailed
        from bench.plan import make_plan

        name = spec.data.name
        if self._held is None or self._held.name != name:
            self._held = None  # let go before the next is read
            cell = next(cell for cell in self._suite.cells if cell.dataset.name == name)
            plan = make_plan(self._suite, (cell,), download=False, stream=self._stream)
            if name in plan.unavailable:
                raise RunFailed(plan.unavailable[name])
            self._held = plan.datasets[name]
        if self._held.source.checksum != spec.data.checksum:
            raise RunFailed(f"{name} has changed since the suite was started")
        return self._held


def _sendable(error: Exception) -> Exception:
    """An error that survives the pipe, with the place where it was raised."""
    if isinstance(error, BenchError):  # one line at the terminal
        plain = BenchError(str(error))
        plain.exit_code = error.exit_code
        return plain
    error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its own way of being pickled raises
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


def _die_of(number: signal.Signals) -> NoReturn:
    """End as the signal would have ended it, so that the parent knows."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)  # not reached where the signal is not blocked
