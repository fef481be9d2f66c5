"""On a Ray cluster of several nodes: the same bits, none lost or done twice, none done in vain."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.cluster.fake import fake_run
from bench.cluster.needs import Needs
from bench.execution.one_run import Conditions
from bench.execution.pending import is_done
from bench.execution.watcher import Watcher
from bench.plan import Plan, make_plan
from bench.records.schema import Record
from bench.records.store import Store
from bench.run.recording import Clock, record_failure
from bench.specs import RunSpec
from bench.suite import load_suite
from bench.toml_file import ROOT

Bench = Callable[..., Any]
ONE_CORE = Needs(1)

heavy = pytest.mark.skipif(
    "BENCH_CLUSTER_TESTS" not in os.environ,
    reason="starts many Ray workers: `make cluster` runs it",
)


class Told:
    """A ``Watcher`` that remembers."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def started(self, spec: RunSpec) -> None:
        pass

    def progressed(self, spec: RunSpec, progress: Any) -> None:
        pass

    def ended(self, record: Record) -> None:
        self.records.append(record)


def plan_of(suite_file: Path) -> Plan:
    suite = load_suite(str(suite_file))
    return make_plan(suite, suite.cells, download=False)


def deciding(path: Path) -> dict[str, Any]:
    """A record without what tells of time."""
    record: dict[str, Any] = json.loads(path.read_text())
    for epoch in record["training"]["epochs"]:
        epoch["seconds"] = None
    for key in ("test_opened_at", "train_images_per_s"):
        del record["training"][key]
    record["provenance"] |= {"started_at": None, "wall_s": None}
    return record


def kept(results: Path) -> dict[str, Any]:
    """Every record and every prediction, by file name."""
    folder = results / "records"
    predictions = {path.name: path.read_bytes() for path in folder.glob("*.npz")}
    return predictions | {path.name: deciding(path) for path in folder.glob("*.json")}


def test_two_nodes_give_the_bits_of_one_process_and_do_nothing_twice(
    ray_cluster: Any,
    bench: Bench,
    suite_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BENCH_RESULTS", str(tmp_path / "here"))
    assert bench("run", suite_file).code == 0
    there = tmp_path / "there"
    monkeypatch.setenv("BENCH_RESULTS", str(there))
    asked = ("run", suite_file, "--engine", "ray", "--address", ray_cluster.address)
    shared = tmp_path / "shared"
    said = bench(*asked, "--shared", f"file://{shared}")
    assert said.code == 0, said.err
    assert "room for 2 runs at once on 2 nodes" in said.out
    assert kept(there) == kept(tmp_path / "here")
    assert kept(shared) == kept(there)
    assert not list((there / "running").iterdir())
    assert not list((shared / "checkpoints").glob("*"))
    logs = "".join(path.read_text() for path in (there / "logs").iterdir())
    processes = set(re.findall(r"process (\d+) on", logs))
    assert len(processes) == 2
    assert str(os.getpid()) not in processes

    again = bench(*asked)
    assert "5 finished runs kept, not trained again." in again.out
    elsewhere = tmp_path / "elsewhere"  # a driver that knows nothing, where the store knows all
    monkeypatch.setenv("BENCH_RESULTS", str(elsewhere))
    assert bench(*asked, "--shared", f"file://{shared}").code == 0
    assert not (elsewhere / "logs").exists()
    assert kept(elsewhere) == kept(there)
    seen = tmp_path / "seen"
    monkeypatch.setenv("BENCH_RESULTS", str(seen))
    status = bench("status", suite_file, "--shared", f"file://{shared}")
    assert "5 done" in status.out


def dies(spec: RunSpec, conditions: Conditions, watcher: Watcher, *, folder: Path) -> Record | None:
    """A run of seed 1 takes its worker with it each time, one of seed 0 the first time."""
    tries = folder / f"tries-{spec.seed}"
    with tries.open("a") as file:
        file.write("x")
    if spec.seed == 1 or len(tries.read_text()) == 1:
        os._exit(1)
    return fake_run(spec, conditions, watcher, seconds=0.0)


@heavy
def test_a_run_that_loses_its_worker_is_done_again_but_not_for_ever(
    joined: Any, suite_file: Path, tmp_path: Path
) -> None:
    from bench.cluster.ray_engine import RayEngine

    plan, store, told = plan_of(suite_file), Store(tmp_path / "results"), Told()
    runs = [run for run in plan.runs if run.model.name == "medspectralnet"]
    engine = RayEngine(ONE_CORE, losses=3, do_run=partial(dies, folder=tmp_path))
    engine(plan, runs, store, told)
    seeds = {run.id: run.seed for run in runs}
    ended = {seeds[record.id]: record for record in told.records}
    assert len(told.records) == 2
    assert ended[0].status == "done"
    assert len((tmp_path / "tries-0").read_text()) == 2
    assert ended[1].status == "failed"
    assert len((tmp_path / "tries-1").read_text()) == 3
    assert "its worker was lost 3 times in a row" in str(ended[1].reason)
    assert engine.nodes.lost == 4


@heavy
def test_a_result_that_the_shared_store_cannot_take_is_kept_all_the_same(
    joined: Any, suite_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from bench.cluster.ray_engine import RayEngine
    from bench.cluster.shared_store import SharedStore

    plan, store, told = plan_of(suite_file), Store(tmp_path / "results"), Told()
    runs = plan.runs[:2]
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "records").write_text("no folder")
    shared = SharedStore(f"file://{tmp_path / 'shared'}")
    engine = RayEngine(ONE_CORE, shared=shared, do_run=partial(fake_run, seconds=0.0))
    assert engine(plan, runs, store, told)["done"] == 2
    assert all(is_done(run, store, refresh=False) for run in runs)
    assert caplog.text.count("cannot be written") == 1


def fails(spec: RunSpec, conditions: Conditions, watcher: Watcher) -> Record | None:
    """A run that fails by itself."""
    name, clock = conditions.device_name, Clock()
    store, suite = conditions.store, conditions.suite
    return record_failure(spec, "x", store=store, suite=suite, device_name=name, clock=clock)


@heavy
def test_a_failure_where_an_earlier_result_stays_is_told_as_one(
    joined: Any, suite_file: Path, tmp_path: Path
) -> None:
    from bench.cluster.ray_engine import RayEngine

    plan, store, told = plan_of(suite_file), Store(tmp_path / "results"), Told()
    (run,) = plan.runs[:1]
    RayEngine(ONE_CORE, do_run=partial(fake_run, seconds=0.0))(plan, [run], store, Told())
    record = store.load(run.id)
    assert record is not None
    stale = record.provenance.model_copy(update={"source_digest": "0" * 16})
    store.save(record.model_copy(update={"provenance": stale}))
    statuses = RayEngine(ONE_CORE, do_run=fails)(plan, [run], store, told, refresh=True)
    assert dict(statuses) == {"failed": 1}
    assert [record.status for record in told.records] == ["failed"]
    kept = store.load(run.id)
    assert kept is not None
    assert kept.status == "done"
    assert [attempt.reason for attempt in kept.attempts] == ["x"]


@heavy
def test_a_command_that_is_told_to_end_says_so_in_one_line(
    ray_cluster: Any, suite_file: Path, tmp_path: Path
) -> None:
    protocol = suite_file.with_name("tiny.toml")
    protocol.write_text(protocol.read_text().replace("epochs = 1", "epochs = 10000"))
    command = [sys.executable, "-m", "bench", "run", str(suite_file), "--engine", "ray"]
    with (tmp_path / "said.txt").open("w+") as said:
        process = subprocess.Popen(
            [*command, "--address", ray_cluster.address],
            cwd=ROOT,
            env=os.environ | {"BENCH_RESULTS": str(tmp_path / "results")},
            stdout=said,
            stderr=said,
        )
        until = time.monotonic() + 120.0
        while " … " not in (tmp_path / "said.txt").read_text() and time.monotonic() < until:
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143, (tmp_path / "said.txt").read_text()
    assert "Traceback" not in (tmp_path / "said.txt").read_text()


@heavy
def test_a_node_that_would_give_other_bits_is_refused_before_anything_is_trained(
    joined: Any, suite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.cluster import fitness
    from bench.cluster.ray_engine import RayEngine
    from bench.errors import InputError

    plan, store = plan_of(suite_file), Store(tmp_path / "results")
    monkeypatch.setattr(fitness, "packages", lambda: {"torch": "1.0", "no-such-thing": "2"})
    with pytest.raises(InputError) as refused:
        RayEngine(ONE_CORE)(plan, plan.runs, store, Told())
    assert re.search(r"2 of the cluster's nodes .*torch is 2\.\S+, not 1\.0", str(refused.value))
    assert "no-such-thing is not installed" in str(refused.value)
    assert not store.root.exists()


@heavy
def test_more_than_any_node_has_is_refused(joined: Any, suite_file: Path, tmp_path: Path) -> None:
    from bench.cluster.ray_engine import RayEngine
    from bench.errors import InputError

    plan = plan_of(suite_file)
    with pytest.raises(InputError, match="no node of the cluster has room"):
        RayEngine(Needs(64))(plan, plan.runs, Store(tmp_path / "results"), Told())


@heavy
def test_a_gpu_that_torch_cannot_use_is_one_line(
    ray_cluster: Any, joined: Any, suite_file: Path
) -> None:
    from bench.cli.engines import Cluster
    from bench.errors import InputError

    suite_file.write_text(suite_file.read_text().replace('device = "cpu"', 'device = "cuda"'))
    node = ray_cluster._cluster.add_node(num_cpus=0, num_gpus=1)
    try:
        with pytest.raises(InputError, match="no usable CUDA device; use device = 'auto'"):
            Cluster(None, None).device(load_suite(str(suite_file)))
    finally:
        ray_cluster._cluster.remove_node(node)


def test_a_suite_that_is_done_joins_no_cluster(
    bench: Any, suite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def joins(*_: object) -> None:
        raise AssertionError("joined")

    with monkeypatch.context() as patched:
        patched.setattr("bench.cli.engines.join_cluster", joins)
        with pytest.raises(AssertionError, match="joined"):
            bench("run", suite_file, "--engine", "ray")
    assert bench("run", suite_file).code == 0
    monkeypatch.setattr("bench.cli.engines.join_cluster", joins)
    again = bench("run", suite_file, "--engine", "ray")
    assert again.code == 0
    assert "5 finished runs kept" in again.out
    refused = bench("run", suite_file, "--engine", "ray", "--workers", "2")
    assert "Ray decides how many" in refused.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--engine", "ray", "--address", "ray://127.0.0.1:10001"), "asks for Ray Client"),
        (("--engine", "ray", "--address", "127.0.0.1:1"), "nothing answers at .127.0.0.1:1."),
        (("--engine", "ray", "--workers", "2"), "Ray decides how many"),
        (("--address", "auto"), "it is for runs on a Ray cluster"),
        (("--engine", "ray", "--shared", "/tmp"), "is no URL"),
        (("--engine", "ray", "--shared", "nosuch://x/y"), "cannot be used"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    bench: Bench, suite_file: Path, options: tuple[str, ...], said: str
) -> None:
    told = bench("run", suite_file, *options)
    assert told.code == 2
    assert re.search(said, told.err)
    assert "Traceback" not in told.err
