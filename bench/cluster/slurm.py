"""A suite as a Slurm job array, through submitit: one array task a run, in one results folder.

Identity, records, checkpoints and locks are those of any other run, so a task that is requeued goes
on from its checkpoint, and a run that is done by the time its task starts is not done again.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from bench.cluster.connect import import_path
from bench.cluster.fitness import Wanted, code_differences, data_differences, wanted_for
from bench.errors import InputError
from bench.plan import UNAVAILABLE, Plan
from bench.provenance import processor
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.options import RunOptions
from bench.specs import RunSpec

FOLDER = "slurm"  # below the results folder: submitit's own files
ARRAY_AT_MOST = 1000
"""Tasks of one array; Slurm's MaxArraySize is 1001 unless an administrator raised it."""

BUSY_S = 180.0
"""That a task waits for another process's lock: of a lost node a network's file system keeps it."""


@dataclass(frozen=True)
class Asked:
    """What the array asks Slurm for.

    Attributes:
        minutes: that a task may take before Slurm ends it; it is then requeued and goes on.
        at_once: tasks that may run at the same time, shared out over the arrays.
        more: further options of ``sbatch`` by their long names (``account``, ``qos``, ``gres``).
    """

    minutes: int
    at_once: int
    partition: str | None = None
    memory_gib: float | None = None
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ArrayTask:
    """One run; what submitit sends to a node and calls there."""

    spec: RunSpec
    wanted: Wanted
    suite: SuiteSeen
    results: Path
    refresh: bool
    options: RunOptions

    def __call__(self) -> str:
        """Do the run; how it ended.

        Raises:
            InputError: this node would not give the same results.
        """
        unfit = code_differences(self.wanted) or data_differences(self.wanted)
        if unfit:
            raise InputError(
                f"this node would not give the same results: {', '.join(unfit)}",
                remedy="make the nodes equal and submit again; nothing was trained",
            )
        with _unwinding():
            record = self._do()
        return "another process is doing it" if record is None else record.status

    def checkpoint(self) -> Any:
        """Asked by submitit before a task is requeued: the same again, it knows where it was."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _do(self) -> Record | None:
        from bench.data import catalog
        from bench.execution.local import POLL_S
        from bench.execution.one_run import Conditions, do_run

        device_name = processor()
        if self.spec.device == "cuda":
            import torch

            device_name = torch.cuda.get_device_name()
        data, size = self.wanted.data[self.spec.data.name], self.wanted.source_size
        conditions = Conditions(
            store=Store(self.results, repair=True),
            suite=self.suite,
            device_name=device_name,
            unavailable={},
            dataset=lambda _: catalog.load(data, size, stream=self.options.stream),
            refresh=self.refresh,
            options=self.options,
        )
        until = time.monotonic() + BUSY_S
        while True:
            record = do_run(self.spec, conditions, _Silent())
            if record is not None or time.monotonic() > until:
                return record
            time.sleep(POLL_S)


class _Silent:
    """A ``Watcher``: the run's log and its file in ``running/`` say all there is to say."""

    def started(self, spec: RunSpec) -> None:
        pass

    def progressed(self, spec: RunSpec, progress: object) -> None:
        pass

    def ended(self, record: Record) -> None:
        pass


class _Stopped(BaseException):
    """Slurm ends this task; passes through a training, which keeps no record of it."""

    def __init__(self, ending: BaseException) -> None:
        super().__init__()
        self.ending = ending


@contextlib.contextmanager
def _unwinding() -> Iterator[None]:
    """Submitit ends a task by an exception in its answer to a signal: not the run's own.

    A training records every ``Exception``, and ``SystemExit`` too, as the failure of its model.
    """
    number = signal.Signals[f"SIG{os.environ.get('SUBMITIT_PREEMPT_SIGNAL', 'USR2')}"]
    theirs = signal.getsignal(number)

    def answer(number: int, frame: FrameType | None) -> None:
        assert callable(theirs)
        try:
            theirs(number, frame)
        except (Exception, SystemExit) as ending:
            raise _Stopped(ending) from None

    if callable(theirs):
        signal.signal(number, answer)
    try:
        yield
    except _Stopped as stopped:
        raise stopped.ending from None
    finally:
        signal.signal(number, theirs)


def submit(
    plan: Plan,
    todo: list[RunSpec],
    store: Store,
    asked: Asked,
    *,
    refresh: bool,
    options: RunOptions,
    local: bool = False,
) -> list[Any]:
    """Hand the runs to Slurm, in this order; submitit's jobs, one a run.

    Args:
        local: let submitit start them on this machine instead.

    Raises:
        InputError: there is no Slurm here, or it refuses what is asked.
    """
    import submitit

    seen = SuiteSeen(name=plan.suite.name, seeds=plan.suite.seeds)
    tasks = [
        ArrayTask(spec, wanted_for(plan, [spec]), seen, store.root, refresh, options)
        for spec in todo
        if spec.data.checksum != UNAVAILABLE
    ]
    parts = [tasks[at : at + ARRAY_AT_MOST] for at in range(0, len(tasks), ARRAY_AT_MOST)]
    executor = _executor(submitit, plan, store.root / FOLDER, asked, len(parts), local=local)
    jobs: list[Any] = []
    try:
        with _environment():
            for part in parts:
                jobs += executor.submit_array(part)
    except submitit.core.utils.FailedJobError as error:
        first = f"after {len(jobs)} runs that are submitted, " if jobs else ""
        raise InputError(
            f"{first}Slurm refuses the array ({' '.join(str(error).split())[-200:]})",
            remedy="correct the options, or submit a part (--only)",
            key="--slurm",
        ) from None
    return jobs


def _executor(
    submitit: Any, plan: Plan, folder: Path, asked: Asked, arrays: int, *, local: bool
) -> Any:
    gpus = int(plan.device.kind == "cuda")
    if local:
        executor = submitit.AutoExecutor(folder=folder, cluster="local")
        executor.update_parameters(timeout_min=asked.minutes, gpus_per_node=gpus)
        return executor
    if submitit.SlurmExecutor.affinity() < 0:
        raise InputError(
            "there is no Slurm on this machine (no `srun`)",
            remedy="submit from a machine that has it",
            key="--slurm",
        )
    folder.mkdir(parents=True, exist_ok=True)
    executor = submitit.SlurmExecutor(folder=folder, max_num_timeout=1000)
    threads = plan.suite.settings.threads
    parameters: dict[str, Any] = {
        "job_name": f"bench-{plan.suite.name}",
        "time": asked.minutes,
        "array_parallelism": max(1, asked.at_once // max(1, arrays)),
        "cpus_per_task": threads,
        "srun_args": [f"--cpus-per-task={threads}"],  # from 22.05 to 23.02 srun inherits it not
        # Where jobs are not requeued unless they ask for it, each end of its time would be the end.
        "additional_parameters": {"requeue": True, **dict(asked.more)},
        # Requeued in time: longer than the last update and the checkpoint before it.
        "signal_delay_s": 60,
    }
    if asked.partition is not None:
        parameters["partition"] = asked.partition
    if asked.memory_gib is not None:
        parameters["mem"] = f"{math.ceil(asked.memory_gib * 1024)}MB"  # Slurm takes whole numbers
    if gpus:
        parameters["gpus_per_node"] = gpus
    executor.update_parameters(**parameters)
    return executor


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """What jobs inherit: where code is found, and what must be set before torch loads."""
    wanted = {"PYTHONPATH": import_path(), "GOMP_SPINCOUNT": "1000"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
