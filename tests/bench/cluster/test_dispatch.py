"""What a driver tells a shared store of runs under way: of its own alone; no failure ends it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.cluster.dispatch import Dispatch, _Flight
from bench.cluster.needs import Needs
from bench.cluster.ray_engine import RayEngine
from bench.cluster.shared_store import RUNNING, SharedStore
from bench.execution.running import RunningFile, claim
from bench.plan import Plan, make_plan
from bench.records.store import Store
from bench.suite import load_suite


@pytest.fixture
def plan(suite_file: Path) -> Plan:
    suite = load_suite(str(suite_file))
    return make_plan(suite, suite.cells, download=False)


def dispatch(plan: Plan, shared: SharedStore, results: Path) -> Dispatch:
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[cluster]'")
    engine = RayEngine(Needs(1), shared=shared)
    return Dispatch(engine, plan, Store(results), None, False, [])  # type: ignore[arg-type]


def test_only_its_own_runs_are_told_and_forgotten(plan: Plan, tmp_path: Path) -> None:
    shared = SharedStore(f"file://{tmp_path / 'shared'}")
    driver, spec = dispatch(plan, shared, tmp_path / "here"), plan.runs[0]
    shared.write(RUNNING, "another-suite.json", b"")
    with claim(tmp_path / "shared", spec.id) as mine:  # of a process whose results folder it is
        assert mine
        with RunningFile(tmp_path / "here", spec.id, spec.cell_key) as file:
            driver._flights["its task"] = _Flight(spec, spec.id, ExitStack(), file=file)
            driver._publish()
        told = {"another-suite.json", f"{spec.id}.json", f"{spec.id}.lock"}
        assert shared.names(RUNNING) == told
        RunningFile(tmp_path / "here", spec.id, spec.cell_key).__enter__()  # left by another
        driver._flights.clear()
        driver._publish()
        assert shared.names(RUNNING) == told - {f"{spec.id}.json"}
        with claim(tmp_path / "shared", spec.id) as again:
            assert not again


def test_a_store_that_does_not_answer_ends_no_driver(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = SharedStore("memory://x")

    def fails(*_: object, **__: object) -> None:
        raise ConnectionError("reset")

    monkeypatch.setattr(shared._place[0], "ls", fails)
    dispatch(plan, shared, tmp_path / "here")._publish()
