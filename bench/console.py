"""What a person sees while a suite runs: one live screen, or plain lines where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bench.execution.estimate import Estimator
from bench.records.schema import Record
from bench.report.text import duration
from bench.specs import RunSpec

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.training.loop import Progress as TrainingProgress

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class SuiteScreen:
    """Shows the runs of a suite with the time left; a context manager and a ``Watcher``."""

    def __init__(
        self, todo: list[RunSpec], train_images: dict[str, int], estimator: Estimator
    ) -> None:
        self._left = {spec.id: spec for spec in todo}
        self._train_images, self._estimator = train_images, estimator
        self._total, self._done = len(todo), 0
        self._run_started = time.monotonic()
        self._live = sys.stdout.isatty() and bool(todo)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=out,
            disable=not self._live,
            transient=True,
        )
        self._task = self._progress.add_task("runs", total=max(self._total, 1), left="")

    def __enter__(self) -> SuiteScreen:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def started(self, spec: RunSpec) -> None:
        self._run_started = time.monotonic()
        self._show(spec, 0.0, "")
        if not self._live:
            out.print(
                f"[{self._done + 1}/{self._total}] {spec.label} … "
                f"({_time_left(self._seconds_left())})",
                markup=False,
            )

    def progressed(self, spec: RunSpec, progress: TrainingProgress) -> None:
        auc = f", val AUC {progress.val_auc:.3f}" if progress.val_auc is not None else ""
        self._show(spec, progress.fraction, f" epoch {progress.epoch}/{progress.epochs}{auc}")

    def ended(self, record: Record) -> None:
        spec = record.spec
        self._estimator.learn(record)
        self._left.pop(record.id, None)
        self._done += 1
        assert isinstance(spec, RunSpec)
        if record.training is not None:
            test = record.training.test
            auc = f", AUC {test.auc:.3f}" if test.auc is not None else ""
            result = f"test ACC {test.acc:.3f}{auc}"
        else:
            result = f"{record.status}: {record.reason}"
        wall = duration(record.provenance.wall_s)
        out.print(f"[{self._done}/{self._total}] {spec.label}: {result} ({wall})", markup=False)
        self._progress.update(self._task, completed=self._done)

    def _show(self, spec: RunSpec, fraction: float, detail: str) -> None:
        if not self._live:
            return
        ahead = self._seconds_left(spec, fraction)
        self._progress.update(
            self._task,
            completed=self._done + fraction,
            description=f"{spec.label}{detail}",
            left=_time_left(ahead),
        )

    def _seconds_left(self, current: RunSpec | None = None, fraction: float = 0.0) -> float | None:
        """From earlier records, and for the run under way from its own pace."""
        total = 0.0
        for spec in self._left.values():
            if current is not None and spec.id == current.id and fraction > 0.02:
                total += (time.monotonic() - self._run_started) * (1 - fraction) / fraction
                continue
            expected = self._estimator.seconds(spec, self._train_images.get(spec.data.name, 0))
            if expected is None:
                return None
            total += expected
        return total


def _time_left(seconds: float | None) -> str:
    return "time left unknown" if seconds is None else f"about {duration(seconds)} left"


def print_work(plan: Plan, todo: list[RunSpec], estimator: Estimator) -> None:
    """Each run still to do with its expected time, and what data cannot be had."""
    total: float | None = 0.0
    for spec in todo:
        data = plan.datasets.get(spec.data.name)
        expected = estimator.seconds(spec, len(data.train)) if data else 0.0
        total = None if total is None or expected is None else total + expected
        out.print(f"{spec.id}  {spec.label}  {duration(expected)}", markup=False)
    for line in plan.unavailable.values():
        out.print(f"unavailable: {line}", markup=False)
    time = f"about {duration(total)}" if total is not None else "unknown, none like it ran here yet"
    count = f"{len(plan.runs)} runs, {len(todo)} to do on {plan.device.name}"
    out.print(f"{count}; time: {time}.", markup=False)


class CostScreen:
    """A bar for cost measurements; nothing but the result where there is no terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=out,
            disable=not sys.stdout.isatty(),
            transient=True,
        )
        self._task = self._progress.add_task("measuring", total=1.0)

    def __enter__(self) -> CostScreen:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, doing: str, fraction: float) -> None:
        """What is being measured and how much of all is done, 0 to 1."""
        self._progress.update(self._task, completed=fraction, description=doing)
