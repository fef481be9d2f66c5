"""A suite as a Slurm job array, through submitit: one array task a run, in one results folder.

Identity, records, checkpoints and locks are those of any other run, so a task that is requeued goes
on from its checkpoint, and a run that is done by the time its task starts is not done again.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from bench.cluster.fitness import Wanted, code_differences, data_differences, wanted_for
from bench.errors import InputError
from bench.plan import UNAVAILABLE, Plan
from bench.provenance import processor
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.run.options import RunOptions
from bench.specs import RunSpec
from bench.toml_file import ROOT

FOLDER = "slurm"  # below the results folder: submitit's own files
ARRAY_AT_MOST = 1000
"""Tasks of one array; Slurm's MaxArraySize is 1001 unless an administrator raised it."""


@dataclass(frozen=True)
class Asked:
    """What the array asks Slurm for.

    Attributes:
        minutes: that a task may take before Slurm ends it; it is then requeued and goes on.
        at_once: tasks that may run at the same time.
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
        return do_run(self.spec, conditions, _Silent())


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
    executor = _executor(submitit, plan, store.root / FOLDER, asked, local=local)
    jobs = []
    try:
        with _environment():
            for start in range(0, len(tasks), ARRAY_AT_MOST):
                jobs += executor.submit_array(tasks[start : start + ARRAY_AT_MOST])
    except submitit.core.utils.FailedJobError as error:
        raise InputError(
            f"Slurm refuses the array ({' '.join(str(error).split())[-200:]})",
            remedy="correct the options",
            key="--slurm",
        ) from None
    return jobs


def _executor(submitit: Any, plan: Plan, folder: Path, asked: Asked, *, local: bool) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    if local:
        executor = submitit.AutoExecutor(folder=folder, cluster="local")
        executor.update_parameters(timeout_min=asked.minutes)
        return executor
    if submitit.SlurmExecutor.affinity() < 0:
        raise InputError(
            "there is no Slurm on this machine (no `srun`)",
            remedy="submit from a machine that has it",
            key="--slurm",
        )
    executor = submitit.SlurmExecutor(folder=folder, max_num_timeout=1000)
    parameters: dict[str, Any] = {
        "job_name": f"bench-{plan.suite.name}",
        "time": asked.minutes,
        "array_parallelism": asked.at_once,
        "cpus_per_task": plan.suite.settings.threads,
        "additional_parameters": dict(asked.more),
        # Requeued in time: longer than the last update and the checkpoint before it.
        "signal_delay_s": 60,
    }
    if asked.partition is not None:
        parameters["partition"] = asked.partition
    if asked.memory_gib is not None:
        parameters["mem"] = f"{asked.memory_gib:g}GB"
    if plan.device.kind == "cuda":
        parameters["gpus_per_node"] = 1
    executor.update_parameters(**parameters)
    return executor


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """What jobs inherit: this checkout's path, and what must be set before torch loads."""
    wanted = {"PYTHONPATH": str(ROOT), "GOMP_SPINCOUNT": "1000"}
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


def wait_for(jobs: list[Any], on_ended: Callable[[int, str], None]) -> int:
    """Until every job has ended; how many have no result. Each is told with how it ended.

    Args:
        on_ended: the job's place in the list, and its run's status or what went wrong.
    """
    failed = 0
    for place, job in enumerate(jobs):
        try:
            said = str(job.result())
        except Exception as error:  # the task's own, told as text by submitit
            lines = str(error).strip().splitlines() or [type(error).__name__]
            said = f"no result: {lines[-1]}"
        failed += said != "done"
        on_ended(place, said)
    return failed
