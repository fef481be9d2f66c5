"""What Ray adds: the same real runs by a bare loop in one process and by Ray with one slot."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cluster.connect import connected
from bench.cluster.engine import Engine
from bench.cluster.file import Overhead
from bench.cluster.local_cluster import local_cluster
from bench.cluster.needs import Needs
from bench.cluster.ray_engine import RayEngine
from bench.cluster.record import OverheadResult
from bench.cluster.throughput import settled, was_loaded, write_suite
from bench.execution.local import run_plan
from bench.measure.load import LoadWatch
from bench.plan import make_plan
from bench.records.schema import Record
from bench.records.store import Store
from bench.specs import RunSpec
from bench.suite import load_suite

if TYPE_CHECKING:
    from bench.training.loop import Progress


def overhead(
    spec: Overhead,
    before: OverheadResult | None,
    folder: Path,
    on_progress: Callable[[str, float], None],
    on_round: Callable[[OverheadResult], object],
) -> OverheadResult:
    """Rounds of both in turn; which goes first changes each round.

    Args:
        before: rounds that an earlier process measured; they are not measured again.
        on_round: told after each round, to keep what is there.

    Raises:
        RuntimeError: a run failed.
    """
    found = before or OverheadResult(
        bare_s=[], ray_s=[], bare_runs_s=[], ray_runs_s=[], joining_s=0.0, noisy=False
    )
    suite = write_suite(folder, runs=spec.runs, epochs=spec.epochs)
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(local_cluster(1))
        started = time.perf_counter()
        stack.enter_context(connected(cluster.address))
        joining_s = found.joining_s + time.perf_counter() - started
        for number in range(len(found.bare_s), spec.rounds):
            on_progress("real runs, in turn", number / spec.rounds)
            watch = LoadWatch()
            seconds, of_runs = dict[str, float](), dict[str, list[float]]()
            for name in ("bare", "ray") if number % 2 else ("ray", "bare"):
                started = time.perf_counter()
                engine: Engine = run_plan if name == "bare" else RayEngine(Needs(1))
                of_runs[name] = _do(engine, suite, folder / f"{name}-{number}")
                seconds[name] = time.perf_counter() - started
            found = OverheadResult(
                bare_s=[*found.bare_s, seconds["bare"]],
                ray_s=[*found.ray_s, seconds["ray"]],
                bare_runs_s=[*found.bare_runs_s, of_runs["bare"]],
                ray_runs_s=[*found.ray_runs_s, of_runs["ray"]],
                joining_s=joining_s,
                noisy=found.noisy or was_loaded(settled(watch)),
            )
            on_round(found)
    return found


def _do(engine: Engine, path: Path, results: Path) -> list[float]:
    """What each run took, as its record says."""
    suite = load_suite(str(path))
    plan = make_plan(suite, suite.cells, download=False)
    store = Store(results)
    statuses = engine(plan, list(plan.runs), store, _Silent())
    if statuses["done"] != len(plan.runs):
        raise RuntimeError(f"not every run was done: {dict(statuses)}")
    records = [store.load(run.id) for run in plan.runs]
    return [record.provenance.wall_s for record in records if record is not None]


class _Silent:
    """A ``Watcher`` that shows nothing."""

    def started(self, spec: RunSpec) -> None:
        pass

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        pass

    def ended(self, record: Record) -> None:
        pass
