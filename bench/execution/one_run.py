"""One run of a plan: claimed, looked for, done and kept. Every engine does its runs by this."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bench.data.dataset import Dataset
from bench.errors import BenchError
from bench.execution.curves import Curves
from bench.execution.pending import is_done
from bench.execution.run_log import RunLog
from bench.execution.running import RunningFile, claim
from bench.execution.watcher import Watcher
from bench.plan import UNAVAILABLE
from bench.provenance import commit, source_digest
from bench.records.schema import Epoch, Record, SuiteSeen
from bench.records.store import Store
from bench.run.options import DEFAULTS, RunOptions
from bench.run.recording import Clock, execute, record_failure, skip
from bench.specs import RunSpec
from bench.training.loop import Progress


@dataclass(frozen=True)
class Conditions:
    """What the runs of a plan have in common where they are done.

    Attributes:
        unavailable: data sets that cannot be had, each with the reason.
        dataset: gives the data of a run, or raises a ``BenchError``.
        capture_output: what a run prints goes to its log instead of the terminal.
    """

    store: Store
    suite: SuiteSeen
    device_name: str
    unavailable: Mapping[str, str]
    dataset: Callable[[RunSpec], Dataset]
    refresh: bool = False
    options: RunOptions = DEFAULTS
    capture_output: bool = False


def take_digests(specs: Iterable[RunSpec]) -> None:
    """Load the models' code and digest it as it is now, whatever is edited meanwhile."""
    for spec in specs:
        if spec.model.factory is not None:
            with contextlib.suppress(Exception, SystemExit):  # met again, and said, by its run
                importlib.import_module(spec.model.factory.partition(":")[0])
        source_digest(spec)
    commit()


def do_run(spec: RunSpec, conditions: Conditions, watcher: Watcher) -> Record | None:
    """The record of a run, made now or found done; None while another process is doing it.

    A run that fails is a record too. An interruption passes through and leaves none.
    """
    store = conditions.store
    with claim(store.root, spec.id) as mine:
        if not mine:
            return None
        record = store.load(spec.id)
        if record is not None and is_done(spec, store, refresh=conditions.refresh):
            return record
        if spec.data.checksum == UNAVAILABLE:
            reason = conditions.unavailable[spec.data.name]
            return skip(
                spec,
                reason,
                store=store,
                suite=conditions.suite,
                device_name=conditions.device_name,
            )
        watcher.started(spec)
        return _train(spec, conditions, watcher)


def _train(spec: RunSpec, conditions: Conditions, watcher: Watcher) -> Record:
    store, clock = conditions.store, Clock()
    with (
        RunningFile(store.root, spec.id, spec.cell_key) as file,
        RunLog(store.root, spec.id, capture_output=conditions.capture_output) as log,
        Curves(conditions.options.tensorboard, spec) as curves,
    ):
        log.started(spec)
        epochs = _NewEpochs(log.resumed, log.epoch, curves.add)

        def on_progress(progress: Progress) -> None:
            file.update(progress.fraction)
            epochs.see(progress)
            watcher.progressed(spec, progress)

        try:
            dataset = conditions.dataset(spec)
        except BenchError as error:  # this data set's runs fail, others go on
            record = record_failure(
                spec,
                str(error),
                store=store,
                suite=conditions.suite,
                device_name=conditions.device_name,
                clock=clock,
            )
        else:
            record = execute(
                spec,
                dataset,
                store=store,
                suite=conditions.suite,
                device_name=conditions.device_name,
                options=conditions.options,
                on_progress=on_progress,
            )
        log.ended(record)
    return record


class _NewEpochs:
    """Passes each epoch on once, when it has ended; those before a resumption are known."""

    def __init__(
        self, resumed: Callable[[Progress], None], *ended: Callable[[Progress, Epoch], None]
    ) -> None:
        self._resumed, self._ended = resumed, ended
        self._last: int | None = None  # None: nothing was reported yet

    def see(self, progress: Progress) -> None:
        epoch = progress.last_epoch
        number = epoch.epoch if epoch is not None else 0
        if self._last is None:
            if progress.epoch > 1:
                self._resumed(progress)
            self._last = min(number, progress.epoch - 1)
        if epoch is not None and number > self._last:
            self._last = number
            for tell in self._ended:
                tell(progress, epoch)
