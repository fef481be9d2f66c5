"""``status`` while a suite is at work."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.execution.estimate import Estimator
from bench.records.store import Store
from bench.report.status import SILENT_S
from bench.report.text import duration
from bench.specs import RunSpec
from bench.suite import Cell, Suite, load_suite, run_spec

Bench = Callable[..., Any]


def plant(results: Path, spec: RunSpec, fraction: float) -> str:
    """The file of a run that this process is doing; the line that ``status`` is to show."""
    state = {
        "id": spec.id,
        "cell_key": spec.cell_key,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "fraction": fraction,
        "seconds": 30.0,
    }
    (results / "running").mkdir(exist_ok=True)
    (results / "running" / f"{spec.id}.json").write_text(json.dumps(state))
    where = f"process {os.getpid()} on {socket.gethostname()}"
    return f"running  {spec.label}: {fraction:.0%} after 30 s, {where}"


def test_runs_of_all_workers_are_shown_and_share_the_time_left(
    bench: Bench, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench("run", suite_file, "--only", "model=small,seed=0,control=none").code == 0
    suite = load_suite(str(suite_file))
    specs = {spec.label: spec for spec in (run_spec(suite, cell) for cell in suite.cells)}
    labels = [f"medspectralnet · phantom-joint · seed {seed}" for seed in (0, 1)]
    expected = [plant(results, specs[label], 0.4) for label in labels]
    monkeypatch.setattr(Estimator, "seconds", lambda *_: 100.0)  # of any run
    lines = bench("status", suite_file).out.splitlines()
    assert [line for line in lines if line.startswith("running")] == expected
    # 60 s of the two under way, then the two that wait by two workers
    assert f"mine: 1 done, 2 missing, 2 running; time left about {duration(160)}." in lines


def test_a_result_that_is_being_made_anew_is_shown_as_running(
    bench: Bench, suite_file: Path, results: Path
) -> None:
    assert bench("run", suite_file, "--only", "model=small,seed=0,control=none").code == 0
    (record,) = Store(results).all()
    assert isinstance(record.spec, RunSpec)
    expected = plant(results, record.spec, 0.5)
    said = bench("status", suite_file).out
    assert expected in said.splitlines()
    assert "mine: 4 missing, 1 running; time left" in said


def test_a_lost_result_takes_time_too(
    bench: Bench, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench("run", suite_file).code == 0
    for path in sorted((results / "records").glob("*.npz"))[:2]:
        path.unlink()
    monkeypatch.setattr(Estimator, "seconds", lambda *_: 100.0)  # of any run
    said = bench("status", suite_file).out
    assert f"mine: 3 done, 2 lost; time left about {duration(200)}." in said


def test_a_run_that_was_killed_on_another_host_is_not_shown_as_running(
    bench: Bench, suite_file: Path, results: Path
) -> None:
    spec = run_spec(*_first_cell(suite_file))
    results.mkdir()
    plant(results, spec, 0.5)
    state, lock = (results / "running" / f"{spec.id}.{end}" for end in ("json", "lock"))
    state.write_text(state.read_text().replace(socket.gethostname(), "elsewhere"))

    def shown() -> bool:
        return "running  " in bench("status", suite_file).out

    assert shown()  # out of a shared store: there is no lock to ask
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        silent_since(state, 2 * SILENT_S)
        assert shown()
    silent_since(state, 0.0)
    assert shown()  # it may be that its lock is not seen here
    silent_since(state, 2 * SILENT_S)
    assert not shown()


def _first_cell(suite_file: Path) -> tuple[Suite, Cell]:
    suite = load_suite(str(suite_file))
    return suite, suite.cells[0]


def silent_since(path: Path, seconds: float) -> None:
    at = time.time() - seconds
    os.utime(path, (at, at))
