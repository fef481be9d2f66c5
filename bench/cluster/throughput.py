"""How fast runs are scheduled and recorded when they do nothing, and whether the driver grows."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.cluster.connect import connected
from bench.cluster.fake import fake_run
from bench.cluster.file import Throughput
from bench.cluster.needs import Needs
from bench.cluster.ray_engine import RayEngine
from bench.cluster.record import Sample, ThroughputResult
from bench.engine.suite import write_protocol
from bench.measure.load import IDLE_ABOVE, Load, LoadWatch
from bench.plan import make_plan
from bench.records.schema import Record
from bench.records.store import Store
from bench.specs import RunSpec
from bench.suite import load_suite

if TYPE_CHECKING:
    from bench.training.loop import Progress

SUITE = """
about = "many runs"
protocol = "protocol.toml"
source_size = 28
image_size = 32
channels = 1
device = "cpu"
precision = "float32"
threads = 1

[[grid]]
models = ["test_medspectralnet"]
datasets = ["phantom-joint"]
seeds = [{seeds}]

[dataset.phantom-joint]
options = {{ n_train = {images}, n_val = 64, n_test = 64 }}

[cost]
num_classes = 4
batch_size = 2
seconds_per_model = 0.2
"""
SAMPLES = 100
SETTLE_S = 5.0  # that Ray's processes need to end, or to fall idle


def write_suite(folder: Path, *, runs: int, epochs: int, images: int = 512) -> Path:
    """A suite of one small network that differs in its seeds alone."""
    write_protocol(folder, epochs=epochs, batch_size=32)
    path = folder / "suite.toml"
    path.write_text(SUITE.format(seeds=", ".join(map(str, range(runs))), images=images))
    return path


def throughput(
    spec: Throughput, folder: Path, on_progress: Callable[[str, float], None]
) -> ThroughputResult:
    """Runs that sleep, on a cluster of this machine alone."""
    suite = load_suite(str(write_suite(folder, runs=spec.runs, epochs=1, images=64)))
    plan, store = make_plan(suite, suite.cells, download=False), Store(folder / "results")
    todo, watch = list(plan.runs), LoadWatch()
    with connected("local", cpus=spec.slots):
        watcher = _Sampler(spec.runs, on_progress)
        engine = RayEngine(Needs(1), do_run=partial(fake_run, seconds=spec.seconds))
        engine(plan, todo, store, watcher)
        wall_s = watcher.seconds
    noisy = was_loaded(settled(watch))
    whole = (
        record is not None and store.has_predictions(record)
        for record in (store.load(run.id) for run in todo)
    )
    return ThroughputResult(
        wall_s=wall_s,
        samples=watcher.samples,
        utilisation=engine.nodes.utilisation,
        missing=sum(not one for one in whole),
        noisy=noisy,
    )


def settled(watch: LoadWatch) -> Load:
    """What the watch saw, once Ray's processes are at rest: their ending is no other's work."""
    time.sleep(SETTLE_S)
    return watch.stop()


def was_loaded(load: Load) -> bool:
    """Whether the machine was busy before or after; meanwhile Ray's own processes are others."""
    return max(load.before, load.after) > IDLE_ABOVE


class _Sampler:
    """A ``Watcher`` that notes the driver's memory now and then."""

    def __init__(self, runs: int, on_progress: Callable[[str, float], None]) -> None:
        self._runs, self._tell = runs, on_progress
        self._process, self._began = psutil.Process(), time.perf_counter()
        self._recorded = 0
        self.samples: list[Sample] = []

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def started(self, spec: RunSpec) -> None:
        """Of no interest."""

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        """Of no interest."""

    def ended(self, record: Record) -> None:
        self._recorded += 1
        if self._recorded % max(1, self._runs // SAMPLES) == 0:
            resident = self._process.memory_info().rss
            sample = Sample(recorded=self._recorded, seconds=self.seconds, driver_bytes=resident)
            self.samples.append(sample)
            self._tell("runs that sleep", self._recorded / self._runs)
