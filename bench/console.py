"""What a person sees while a suite runs: one live screen, or plain lines where there is none."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bench.execution.estimate import Estimator, shared_out
from bench.execution.running import log_path
from bench.records.schema import Record
from bench.report.text import duration, rate
from bench.specs import RunSpec
from bench.toml_file import shown

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.training.loop import Progress as TrainingProgress

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

PACE_FROM = 0.02
"""Of a run, before its own pace says more of the time left than earlier runs."""

PATIENCE = 20
"""Times what it takes to work out the time left, before it is worked out again."""

WIDE = 100  # columns of a terminal, for a long bar
BESIDE_LABEL = 43 + 7 + 3
"""Columns of ``epoch 100/100, val AUC 0.987, 1234 images/s``, of the time elapsed, of the gaps."""


@dataclass
class _UnderWay:
    """A run that some worker is doing."""

    spec: RunSpec
    line: TaskID
    first: float | None = None  # fraction at the first report: above 0 where it was resumed
    first_at: float = 0.0
    fraction: float = 0.0

    def reached(self, fraction: float) -> None:
        if self.first is None:
            self.first, self.first_at = fraction, time.monotonic()
        self.fraction = fraction

    def seconds_left(self) -> float | None:
        """By its own pace; None until there is one."""
        done = self.fraction - (self.first or 0.0)
        if done < PACE_FROM:
            return None
        return (time.monotonic() - self.first_at) * (1 - self.fraction) / done


class SuiteScreen:
    """Shows a bar for the suite and a line for each run under way; a ``Watcher``.

    A context manager. Where there is no terminal it prints a line when a run begins and ends.

    Args:
        train_images: of each data set, by name.
        workers: how many runs go on at once.
    """

    def __init__(
        self,
        todo: list[RunSpec],
        train_images: dict[str, int],
        estimator: Estimator,
        workers: int = 1,
    ) -> None:
        self.failures: list[Record] = []
        self._left = {spec.id: spec for spec in todo}
        self._under_way: dict[str, _UnderWay] = {}
        self._train_images, self._estimator, self._workers = train_images, estimator, workers
        self._total, self._done = len(todo), 0
        self._told: float | None = None  # the time left, as last worked out
        self._told_at, self._telling_s = 0.0, 0.0
        self._live = sys.stdout.isatty() and bool(todo)
        bar = 20 if out.width >= WIDE else 8
        self._label_width = max(20, out.width - bar - BESIDE_LABEL)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=bar),
            TextColumn("{task.fields[detail]}", markup=False),
            TimeElapsedColumn(),
            console=out,
            disable=not self._live,
            transient=True,
            refresh_per_second=4,  # every core is a worker's
        )
        self._suite = self._add("all runs", total=max(self._total, 1))

    def __enter__(self) -> SuiteScreen:
        self._progress.start()
        self._show_suite()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def started(self, spec: RunSpec) -> None:
        lost = self._under_way.get(spec.id)  # it was under way on a node that is gone
        line = lost.line if lost else self._add(spec.label, total=1.0)
        self._under_way[spec.id] = _UnderWay(spec, line)
        number = self._done + len(self._under_way)
        if not self._live:
            left = _time_left(self.seconds_left())
            out.print(f"[{number}/{self._total}] {spec.label} … ({left})", markup=False)
        self._show_suite()

    def progressed(self, spec: RunSpec, progress: TrainingProgress) -> None:
        run = self._under_way[spec.id]
        run.reached(progress.fraction)
        if not self._live:
            return
        detail = [f"epoch {progress.epoch}/{progress.epochs}"]
        if progress.val_auc is not None:
            detail.append(f"val AUC {progress.val_auc:.3f}")
        if progress.images_per_s is not None:
            detail.append(f"{rate(progress.images_per_s)} images/s")
        self._progress.update(run.line, completed=progress.fraction, detail=", ".join(detail))
        self._show_suite()

    def ended(self, record: Record) -> None:
        spec = record.spec
        assert isinstance(spec, RunSpec)
        self._estimator.learn(record)
        self._left.pop(record.id, None)
        run = self._under_way.pop(record.id, None)  # None: it was not done here
        if run is not None:
            self._progress.remove_task(run.line)
        self._done += 1
        failed = record.status != "done"
        if failed:
            self.failures.append(record)
        wall = duration(record.provenance.wall_s)
        line = f"[{self._done}/{self._total}] {spec.label}: {_outcome(record)} ({wall})"
        out.print(line, markup=False, style="red" if failed else None)
        self._show_suite()

    def has_room(self, workers: int, used: float) -> None:
        """How many runs can go on at once now, and the share of that room used so far."""
        self._workers = max(1, workers)
        self._progress.update(self._suite, description=f"all runs, {used:.0%} used of {workers}")

    def seconds_left(self) -> float | None:
        """Until the suite is done: earlier records tell, and a run under way by its own pace.

        Worked out anew only when that took but a small part of the time since: it asks every run.
        """
        now = time.monotonic()
        if now - self._told_at >= PATIENCE * self._telling_s:
            self._told = self._seconds_left()
            self._told_at, self._telling_s = time.monotonic(), time.monotonic() - now
        return self._told

    def _seconds_left(self) -> float | None:
        under_way: list[float] = []
        waiting: list[float] = []
        for spec in self._left.values():
            run = self._under_way.get(spec.id)
            seconds = run.seconds_left() if run is not None else None
            if seconds is None:
                seconds = self._estimator.seconds(spec, self._train_images.get(spec.data.name, 0))
            if seconds is None:
                return None
            (waiting if run is None else under_way).append(seconds)
        return shared_out(under_way, waiting, self._workers)

    def _add(self, label: str, total: float) -> TaskID:
        if len(label) > self._label_width:  # the seed tells two runs apart
            rest, _, seed = label.rpartition(" · ")
            label = f"{rest[: self._label_width - len(seed) - 4]}… · {seed}"
        return self._progress.add_task(label, total=total, detail="")

    def _show_suite(self) -> None:
        if not self._live:
            return
        fractions = sum(run.fraction for run in self._under_way.values())
        self._progress.update(
            self._suite,
            completed=self._done + fractions,
            detail=f"{self._done}/{self._total}, {_time_left(self.seconds_left())}",
        )


def _outcome(record: Record) -> str:
    if record.training is None:
        return f"{record.status}: {record.reason}"
    test = record.training.test
    auc = f", AUC {test.auc:.3f}" if test.auc is not None else ""
    return f"test ACC {test.acc:.3f}{auc}"


def _time_left(seconds: float | None) -> str:
    return "time left unknown" if seconds is None else f"about {duration(seconds)} left"


def print_failures(failures: list[Record], results: Path) -> None:
    """At the end, once more: which runs have no result, why, and where to read on."""
    for record in failures:
        path = log_path(results, record.id)
        where = f"; see {shown(path)}" if path.exists() else ""
        out.print(f"{record.spec.label}: {_outcome(record)}{where}", markup=False, style="red")


def print_work(plan: Plan, todo: list[RunSpec], estimator: Estimator, workers: int = 1) -> None:
    """Each run still to do with its expected time, and what data cannot be had."""
    times = []
    for spec in todo:
        data = plan.datasets.get(spec.data.name)
        times.append(estimator.seconds(spec, len(data.train)) if data else 0.0)
        out.print(f"{spec.id}  {spec.label}  {duration(times[-1])}", markup=False)
    for line in plan.unavailable.values():
        out.print(f"unavailable: {line}", markup=False)
    known = [seconds for seconds in times if seconds is not None]
    time = "unknown, none like it ran here yet"
    if len(known) == len(times):
        time = f"about {duration(shared_out([], known, workers))}"
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
