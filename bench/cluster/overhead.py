"""What Ray adds to real runs: around them, in one suite; in them, beside a bare loop.

Two processes of the same code differ in speed by several percent for as long as they live, and a
shared machine drifts from minute to minute. So the bare loop does its runs in the very worker
process that does Ray's, one run each in turn.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.cluster.connect import connected
from bench.cluster.engine import Engine
from bench.cluster.file import Overhead
from bench.cluster.local_cluster import local_cluster
from bench.cluster.needs import Needs
from bench.cluster.ray_engine import RayEngine
from bench.cluster.record import OverheadResult
from bench.cluster.throughput import SETTLE_S, was_loaded, write_suite
from bench.execution.local import run_plan
from bench.execution.one_run import Conditions, do_run
from bench.execution.watcher import Watcher
from bench.measure.load import LoadWatch
from bench.plan import make_plan
from bench.records.schema import Record
from bench.records.store import Store
from bench.specs import RunSpec
from bench.suite import load_suite

if TYPE_CHECKING:
    from bench.training.loop import Progress

NOTHING_YET = OverheadResult(
    bare_runs_s=[],
    ray_runs_s=[],
    suite_s=0.0,
    suite_runs_s=[],
    joining_s=0.0,
    rays_own_s=0.0,
    watched_s=0.0,
    noisy=False,
)


def overhead(
    spec: Overhead,
    before: OverheadResult | None,
    folder: Path,
    on_progress: Callable[[str, float], None],
    on_round: Callable[[OverheadResult], object],
) -> OverheadResult:
    """One run by each in turn, which goes first changing each round; then one suite by Ray.

    Args:
        before: rounds that an earlier process measured; they are not measured again.
        on_round: told after each round, to keep what is there.

    Raises:
        RuntimeError: a run failed, or another process did it than the one beside which it is held.
    """
    found = before or NOTHING_YET
    suite = write_suite(folder, runs=max(spec.rounds, spec.runs), epochs=spec.epochs)
    with local_cluster(1) as cluster:
        started = time.perf_counter()
        with connected(cluster.address):
            first_s = sum(_do(RayEngine(Needs(1)), suite, folder / "first", range(1)))
            joining_s = found.joining_s + time.perf_counter() - started - first_s
            found = found.model_copy(update={"joining_s": joining_s})
            bare = _BareLoop(suite, folder / "bare")
            bare(0)  # which tells what process it is
            engine = RayEngine(Needs(1), do_run=partial(_in_process, bare.process))
            _do(engine, suite, folder / "second", range(1))
            time.sleep(SETTLE_S)  # what the cluster does to start is no other's load
            for number in range(len(found.bare_runs_s), spec.rounds):
                on_progress("real runs, in turn", number / spec.rounds)
                with _watched(found, bare) as changes:
                    changes |= _round(number, bare, engine, suite, folder / "ray", found)
                found = found.model_copy(update=changes)
                on_round(found)
            on_progress("a suite by Ray", 1.0)
            with _watched(found, bare) as changes:
                changes |= _suite(engine, suite, folder / "suite", range(spec.runs))
            return found.model_copy(update=changes)


def _round(
    number: int, bare: _BareLoop, engine: Engine, suite: Path, results: Path, found: OverheadResult
) -> dict[str, Any]:
    seconds = dict[str, float]()
    for name in ("bare", "ray") if number % 2 else ("ray", "bare"):
        if name == "bare":
            seconds[name] = bare(number)
        else:
            (seconds[name],) = _do(engine, suite, results, range(number, number + 1))
    return {
        "bare_runs_s": [*found.bare_runs_s, seconds["bare"]],
        "ray_runs_s": [*found.ray_runs_s, seconds["ray"]],
    }


def _suite(engine: Engine, suite: Path, results: Path, which: range) -> dict[str, Any]:
    started = time.perf_counter()
    runs_s = _do(engine, suite, results, which)
    return {"suite_s": time.perf_counter() - started, "suite_runs_s": runs_s}


@dataclass
class _BareLoop:
    """Does runs in a worker process of Ray's without any of the engine; each time anew."""

    suite: Path
    results: Path
    process: int | None = None
    _times: int = field(default=0)

    def __call__(self, number: int) -> float:
        """What the run took, as its record says."""
        import ray

        self._times += 1
        task = ray.remote(num_cpus=1, max_retries=0)(_bare)
        results = self.results / str(self._times)
        seconds, process = ray.get(task.remote(self.suite, results, number))
        if self.process not in (None, process):
            raise RuntimeError("the bare loop's runs were done by two worker processes")
        self.process = process
        return float(seconds)


def _bare(suite: Path, results: Path, number: int) -> tuple[float, int]:
    (seconds,) = _do(run_plan, suite, results, range(number, number + 1))
    return seconds, os.getpid()


def _in_process(
    process: int | None, spec: RunSpec, conditions: Conditions, watcher: Watcher
) -> Record | None:
    """The run, if this is that process."""
    if os.getpid() != process:
        raise RuntimeError("Ray's run was done by another worker process than the bare loop's")
    return do_run(spec, conditions, watcher)


def _do(engine: Engine, path: Path, results: Path, which: range) -> list[float]:
    """What each run took, as its record says."""
    suite = load_suite(str(path))
    plan = make_plan(suite, suite.cells, download=False)
    store, runs = Store(results), [plan.runs[number] for number in which]
    statuses = engine(plan, list(runs), store, _Silent())
    if statuses["done"] != len(runs):
        raise RuntimeError(f"not every run was done: {dict(statuses)}")
    records = [store.load(run.id) for run in runs]
    return [record.provenance.wall_s for record in records if record is not None]


@contextmanager
def _watched(found: OverheadResult, bare: _BareLoop) -> Iterator[dict[str, Any]]:
    """Changes to what was found; the load meanwhile, and Ray's own part in it, are added."""
    load, began, before = LoadWatch(), time.perf_counter(), _rays_own(bare.process)
    changes = dict[str, Any]()
    yield changes
    after = _rays_own(bare.process)
    changes["watched_s"] = found.watched_s + time.perf_counter() - began
    own_s = sum(seconds - before.get(process, 0.0) for process, seconds in after.items())
    changes["rays_own_s"] = found.rays_own_s + own_s
    changes["noisy"] = found.noisy or was_loaded(load.stop())


def _rays_own(worker: int | None) -> dict[int, float]:
    """Seconds of processor that each of Ray's processes has had, the worker's apart."""
    own = dict[int, float]()
    for process in psutil.Process().children(recursive=True):
        if process.pid != worker:
            try:
                times = process.cpu_times()
            except psutil.Error:  # it has just ended
                continue
            own[process.pid] = times.user + times.system
    return own


class _Silent:
    """A ``Watcher`` that shows nothing."""

    def started(self, spec: RunSpec) -> None:
        pass

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        pass

    def ended(self, record: Record) -> None:
        pass
