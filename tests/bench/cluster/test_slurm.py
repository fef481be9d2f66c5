"""A suite as a job array: by submitit on this machine, and by a real Slurm of one node."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.cluster.fitness import wanted_for
from bench.cluster.slurm import ArrayTask, Asked, _executor, submit
from bench.cluster.waiting import _cause
from bench.plan import make_plan
from bench.records.schema import SuiteSeen
from bench.records.store import Store
from bench.run.options import RunOptions
from bench.suite import load_suite

Bench = Callable[..., Any]
heavy = pytest.mark.skipif(
    "BENCH_CLUSTER_TESTS" not in os.environ, reason="takes a minute: `make cluster` runs it"
)

CONF = """
ClusterName=bench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/none
CredType=cred/none
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture
def slurm(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A Slurm of this machine alone, its daemons ended with the test."""
    missing = [name for name in ("slurmctld", "slurmd", "sbatch") if shutil.which(name) is None]
    if missing or os.getuid() != 0:
        pytest.skip(f"no Slurm to start: {', '.join(missing) or 'its daemons need root'}")
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    host = os.uname().nodename.partition(".")[0]
    conf = folder / "slurm.conf"
    conf.write_text(CONF.format(host=host, folder=folder, cores=os.cpu_count()))
    monkeypatch.setenv("SLURM_CONF", str(conf))
    daemons = []
    with (folder / "said.txt").open("wb") as said:
        try:
            for command in (["slurmctld", "-D", "-c"], ["slurmd", "-D"]):
                daemons.append(subprocess.Popen(command, stdout=said, stderr=said))
            until = time.monotonic() + 60.0
            while time.monotonic() < until:
                asked = subprocess.run(
                    ["sinfo", "-h", "-o", "%T"], capture_output=True, text=True, check=False
                )
                if asked.stdout.strip() == "idle":
                    break
                time.sleep(0.5)
            else:
                pytest.skip(
                    f"Slurm does not start here: {(folder / 'said.txt').read_text()[-300:]}"
                )
            yield folder
        finally:
            for daemon in daemons:
                daemon.terminate()
            for daemon in daemons:
                daemon.wait(30)


def predictions(results: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (results / "records").glob("*.npz")}


def test_submit_says_where_or_refuses(bench: Bench, suite_file: Path) -> None:
    said = bench("submit", suite_file)
    assert said.code == 2
    assert "give --slurm or --local" in said.err
    said = bench("submit", suite_file, "--slurm", "--sbatch", "qos")
    assert said.code == 2
    assert "write KEY=VALUE" in said.err
    said = bench("submit", suite_file, "--slurm", "--dry-run")
    assert said.code == 0
    assert "5 runs, 5 to do" in said.out


def test_a_machine_without_slurm_is_told_so(
    bench: Bench, suite_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    said = bench("submit", suite_file, "--slurm")
    assert said.code == 2
    assert "there is no Slurm on this machine" in said.err


@pytest.mark.parametrize(
    "option", [("--partition", "gpu"), ("--memory", "3"), ("--at-once", "1"), ("--sbatch", "a=b")]
)
def test_what_only_slurm_can_do_is_not_passed_over_in_silence(
    bench: Bench, suite_file: Path, option: tuple[str, str]
) -> None:
    said = bench("submit", suite_file, "--local", *option)
    assert said.code == 2
    assert f"{option[0]}: it is for --slurm" in said.err


def test_nothing_to_train_on_is_no_submission(
    bench: Bench, suite_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path))
    (tmp_path / "breastmnist.npz").write_bytes(b"broken")
    before, _, described = suite_file.read_text().partition("[dataset.phantom-joint]")
    cost = "[cost]" + described.partition("[cost]")[2]
    suite_file.write_text(before.replace("phantom-joint", "breastmnist") + cost)
    said = bench("submit", suite_file, "--local")
    assert said.code == 2
    assert "none of the suite's data sets can be had here" in said.err
    assert not list(tmp_path.rglob("slurm"))


def test_a_preempted_task_keeps_no_record_and_the_next_goes_on_with_equal_bits(
    suite_file: Path, tmp_path: Path
) -> None:
    protocol = suite_file.with_name("tiny.toml")
    protocol.write_text(protocol.read_text().replace("epochs = 1", "epochs = 60"))
    suite = load_suite(str(suite_file))
    store, asked = Store(tmp_path / "results"), Asked(minutes=60, at_once=1)
    options = RunOptions(checkpoint_every_s=0.2)

    def one() -> Any:
        plan = make_plan(suite, suite.cells, download=False)
        run = next(run for run in plan.runs if run.model.name == "small")
        (job,) = submit(plan, [run], store, asked, refresh=False, options=options, local=True)
        return run, job

    run, job = one()
    checkpoint = store.root / "checkpoints" / f"{run.id}.pt"
    until = time.monotonic() + 120.0
    while not checkpoint.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert checkpoint.exists(), job.stderr()
    (task,) = psutil.Process(int(job.job_id.partition("_")[0])).children()
    task.send_signal(signal.SIGUSR2)  # as Slurm warns a task that it will be ended
    assert job.result() == "done"
    record = store.load(run.id)
    assert record is not None
    assert record.attempts == []  # the ending was not taken for the model's failure
    assert record.training is not None
    assert record.training.resumed_at_updates
    log = (store.root / "logs" / f"{run.id}.log").read_text()
    assert "interrupted" in log


@heavy
def test_a_real_slurm_gives_the_bits_of_this_process(
    slurm: Path,
    bench: Bench,
    suite_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    monkeypatch.setenv("BENCH_RESULTS", str(here))
    assert bench("run", suite_file).code == 0
    monkeypatch.setenv("BENCH_RESULTS", str(there))
    said = bench("submit", suite_file, "--slurm", "--at-once", "2", "--wait")
    assert said.code == 0, said.out + said.err
    assert said.out.count(": done") == 5
    assert predictions(there) == predictions(here)
    assert len(predictions(there)) == 5
    assert "0 to do" in bench("submit", suite_file, "--slurm").out


def test_what_is_asked_of_slurm_is_what_it_understands(
    suite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import submitit

    monkeypatch.setattr(submitit.SlurmExecutor, "affinity", classmethod(lambda cls: 2))
    suite = load_suite(str(suite_file))
    plan = make_plan(suite, suite.cells, download=False)
    asked = Asked(minutes=10, at_once=8, memory_gib=1.5, more=(("qos", "low"),))
    executor = _executor(submitit, plan, tmp_path / "slurm", asked, 3, local=False)
    script = executor._make_submission_file_text("command", "0").splitlines()
    for line in ("--mem=1536MB", "--requeue", "--qos=low", "--cpus-per-task=1"):
        assert f"#SBATCH {line}" in script
    assert executor.parameters["array_parallelism"] == 2  # of each of three arrays


def test_a_task_waits_for_a_lock_that_will_come_free(
    suite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.execution.running import claim

    monkeypatch.setattr("bench.execution.local.POLL_S", 0.1)
    suite = load_suite(str(suite_file))
    plan = make_plan(suite, suite.cells, download=False)
    run = next(run for run in plan.runs if run.model.name == "small")
    store, seen = Store(tmp_path / "results"), SuiteSeen(name="s", seeds=[0])
    task = ArrayTask(run, wanted_for(plan, [run]), seen, store.root, False, RunOptions())
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(str(task._do() is not None)))
    with claim(store.root, run.id):
        thread.start()
        thread.join(1.0)
        assert thread.is_alive()
    thread.join(60.0)
    assert said == ["True"]


def test_how_a_task_failed_is_the_last_line_of_its_traceback() -> None:
    rule = "-" * 22
    trace = "Traceback\n  in f\nValueError: no\n"
    quoted = f"Job (task=0) failed with trace:\n{rule}\n{trace}\n{rule}\nlogs"
    assert _cause(RuntimeError(quoted)) == "ValueError: no"
    assert _cause(RuntimeError("one\ntwo")) == "two"
    assert _cause(RuntimeError()) == "RuntimeError"
