"""Several workers: the same bits, no run lost or done twice, and none outlives its parent."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

Bench = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[3]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

needs_two_cores = pytest.mark.skipif(CORES < 2, reason="two workers need two cores")


def records(results: Path) -> dict[str, dict[str, Any]]:
    """Every record by id, as plain JSON."""
    paths = sorted((results / "records").glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in paths}


def deciding(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what tells the time."""
    training = dict(record["training"])
    training["epochs"] = [{**epoch, "seconds": None} for epoch in training["epochs"]]
    for timing in ("test_opened_at", "train_images_per_s"):
        del training[timing]
    provenance = {**record["provenance"], "started_at": None, "wall_s": None}
    return {**record, "training": training, "provenance": provenance}


@pytest.mark.slow
@needs_two_cores
def test_workers_change_no_bit(
    bench: Bench, suite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = suite_file.with_name("tiny.toml")
    text = protocol.read_text().replace("epochs = 1", "epochs = 2\ndrop_path_rate = 0.2")
    protocol.write_text(text)
    found, processes = [], []
    for name, workers in (("none", ()), ("one", ("--workers", 1)), ("two", ("--workers", 2))):
        results = tmp_path / name
        monkeypatch.setenv("BENCH_RESULTS", str(results))
        said = bench("run", suite_file, "--only", "seed=0", *workers)
        assert said.code == 0, said.err
        predictions = {path.name: path.read_bytes() for path in results.rglob("*.npz")}
        assert len(predictions) == 3
        found.append((predictions, {k: deciding(r) for k, r in records(results).items()}))
        logs = "".join(path.read_text() for path in (results / "logs").iterdir())
        processes.append(set(map(int, re.findall(r"process (\d+) on", logs))))
        assert not list((results / "running").iterdir())
    assert found[0] == found[1] == found[2]
    assert processes[0] == {os.getpid()}
    assert [len(pids) for pids in processes] == [1, 1, 2]
    assert os.getpid() not in processes[1] | processes[2]


DYING = """
import ctypes, os, signal, sys
from torch import nn

class Dies(nn.Linear):
    def forward(self, x):
        if self.training:
            print("last words")
            sys.stdout.flush()
            self.die()
        return super().forward(x.mean((2, 3)))

class Killed(Dies):
    def die(self): os.kill(os.getpid(), signal.SIGKILL)

class Crashes(Dies):
    def die(self): ctypes.string_at(0)

class Terminated(Dies):
    def die(self): os.kill(os.getpid(), signal.SIGTERM)

class Leaves(Dies):
    def die(self): os._exit(7)

def killed(num_classes, in_chans): return Killed(in_chans, num_classes)
def crashes(num_classes, in_chans): return Crashes(in_chans, num_classes)
def terminated(num_classes, in_chans): return Terminated(in_chans, num_classes)
def leaves(num_classes, in_chans): return Leaves(in_chans, num_classes)
"""


@pytest.mark.slow
@needs_two_cores
def test_a_worker_that_dies_fails_its_run_alone_and_is_replaced(
    bench: Bench,
    suite_file: Path,
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = tmp_path / "dying_models.py"
    module.write_text(DYING)
    monkeypatch.syspath_prepend(str(tmp_path))
    models = ["killed", "crashes", "terminated", "leaves", "small"]
    entries = "".join(f'[model.{name}]\nfactory = "dying_models:{name}"\n' for name in models[:4])
    text = suite_file.read_text().replace('["medspectralnet", "small"]', json.dumps(models))
    text = text.replace('[model.medspectralnet]\ntimm = "test_medspectralnet"\n', entries)
    suite_file.write_text(text)
    said = bench("run", suite_file, "--workers", 2, "--only", "seed=0,control=none")
    assert said.code == 1, said.err
    found = {record["spec"]["model"]["name"]: record for record in records(results).values()}
    assert {name: record["status"] for name, record in found.items()} == {
        "killed": "failed",
        "crashes": "failed",
        "terminated": "failed",
        "leaves": "failed",
        "small": "done",
    }
    for name, reason in {
        "killed": "its worker process was ended by signal 9 (SIGKILL)",
        "crashes": "its worker process was ended by signal 11 (SIGSEGV)",
        "terminated": "its worker process was ended by signal 15 (SIGTERM)",
        "leaves": "its worker process ended with exit code 7",
    }.items():
        assert found[name]["reason"] == reason
        assert said.out.count(f"{name} · phantom-joint · seed 0: failed: {reason}") == 2
        log = (results / "logs" / f"{found[name]['id']}.log").read_text()
        assert "last words" in log
        assert f"failed: {reason}" in log
        assert "last words" not in said.out
    crash = (results / "logs" / f"{found['crashes']['id']}.log").read_text()
    assert "Fatal Python error: Segmentation fault" in crash
    assert "in die" in crash
    assert not list((results / "running").glob("*.json"))

    module.write_text(DYING.replace("self.die()", "pass"))  # tried again, with nothing else done
    said = bench("run", suite_file, "--workers", 1, "--only", "seed=0,control=none,model=killed")
    assert said.code == 0, said.out
    again = records(results)[found["killed"]["id"]]
    assert again["status"] == "done"
    assert [attempt["reason"] for attempt in again["attempts"]] == [found["killed"]["reason"]]


def start(suite_file: Path, results: Path, *arguments: str) -> subprocess.Popen[str]:
    """The real command, leading a process group as a shell would have it."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench", "run", str(suite_file), *arguments],
        cwd=ROOT,
        env=os.environ | {"BENCH_RESULTS": str(results)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something to hold."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def at_work(results: Path) -> set[int]:
    """The processes that are doing a run."""
    found = set()
    for path in (results / "running").glob("*.json"):
        try:
            found.add(int(json.loads(path.read_text())["pid"]))
        except FileNotFoundError:
            continue
    return found


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
@needs_two_cores
@pytest.mark.parametrize(
    ("sent", "to", "code", "said"),
    [
        (signal.SIGINT, "group", 130, "interrupted; finished runs are kept"),
        (signal.SIGTERM, "workers first", 143, "terminated; finished runs are kept"),
        (signal.SIGTERM, "parent", 143, "terminated; finished runs are kept"),
        (signal.SIGKILL, "parent", -9, ""),
    ],
)
def test_stopping_the_parent_ends_all_workers_and_leaves_no_record_of_what_was_under_way(
    bench: Bench,
    suite_file: Path,
    results: Path,
    sent: signal.Signals,
    to: str,
    code: int,
    said: str,
) -> None:
    assert bench("run", suite_file, "--only", "model=small,seed=0,control=none").code == 0
    kept = records(results)
    protocol = suite_file.with_name("tiny.toml")
    protocol.write_text(protocol.read_text().replace("epochs = 1", "epochs = 5000"))
    process = start(suite_file, results, "--workers", "2")
    try:
        until(lambda: len(at_work(results)) == 2, 120, "two workers are at work")
        workers = at_work(results)
        assert process.pid not in workers
        running = [line for line in bench("status", suite_file).out.splitlines() if "%" in line]
        assert {int(re.findall(r"process (\d+)", line)[0]) for line in running} == workers
        before = time.monotonic()
        if to == "group":  # a terminal's Ctrl-C
            os.killpg(process.pid, sent)
        else:
            if to == "workers first":  # a batch system that ends a job's processes in turn
                for pid in workers:
                    os.kill(pid, sent)
                time.sleep(0.5)
            process.send_signal(sent)
        _, err = process.communicate(timeout=30)
        until(lambda: not any(map(is_alive, workers)), 5, "no worker outlives its parent")
        assert time.monotonic() - before < 8
    finally:
        process.kill()
    assert process.returncode == code
    assert said in err
    assert "Traceback" not in err
    assert records(results) == kept


@pytest.mark.slow
@needs_two_cores
def test_two_parents_share_a_suite_and_train_each_run_once(suite_file: Path, results: Path) -> None:
    both = [start(suite_file, results, "--workers", "2") for _ in range(2)]
    said = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    started = [line for out, _ in said for line in out.splitlines() if " … " in line]
    assert len(started) == 5
    assert [record["status"] for record in records(results).values()] == ["done"] * 5


def test_a_harness_error_in_a_worker_ends_the_suite_with_its_own_message(
    bench: Bench, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a broken checkout is nobody's run."""
    from bench.execution import workers as module

    monkeypatch.setattr(module, "work", _broken)
    said = bench("run", suite_file, "--workers", 1)
    assert said.code == 2
    assert said.err.strip() == "/nowhere: No space left on device; choose another place"
    assert records(results) == {}


def _broken(connection: Any, *_: object) -> None:
    from bench.execution.worker import Broken

    connection.recv()
    connection.send(Broken(OSError(28, "No space left on device", "/nowhere")))


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (
            ["--workers", str(CORES + 1)],
            [f"{CORES + 1} × 1 threads", f"may use {CORES}", f"at most --workers {CORES}"],
        ),
        (["--workers", "1", "--per-gpu", "2"], ["--per-gpu", "no GPU to share"]),
        (["--per-gpu", "2"], ["--per-gpu", "add --workers N"]),
        (["--workers", "0"], ["--workers"]),
    ],
)
def test_workers_that_do_not_fit_are_refused_before_anything_trains(
    bench: Bench, suite_file: Path, results: Path, arguments: list[str], parts: list[str]
) -> None:
    said = bench("run", suite_file, *arguments)
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
    for part in parts:
        assert part in said.err
    assert not results.exists()


def test_a_worker_is_in_its_place_before_torch_is_loaded(suite_file: Path, tmp_path: Path) -> None:
    from bench.execution.places import Place
    from bench.execution.worker import Briefing, work
    from bench.records.store import Store
    from bench.run.options import DEFAULTS
    from bench.suite import load_suite
    from tests._helpers.specs import run_spec

    briefing = Briefing(
        suite=load_suite(str(suite_file)),
        device_name="cpu",
        store=Store(tmp_path),
        unavailable={},
        models=[run_spec()],
        refresh=False,
        options=DEFAULTS,
    )
    (tmp_path / "sent").write_bytes(pickle.dumps((work, briefing, Place(cores=(0,), gpu="7"))))
    code = (
        "import os, pickle, sys\n"
        f"work, briefing, place = pickle.load(open({str(tmp_path / 'sent')!r}, 'rb'))\n"
        "from bench.execution.worker import _settle\n"
        "_settle(place)\n"
        "assert 'torch' not in sys.modules\n"
        "print(os.environ['CUDA_VISIBLE_DEVICES'], *os.sched_getaffinity(0))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "7 0\n", done.stderr
