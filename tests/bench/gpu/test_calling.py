"""A call: an overdue step never loses the others, and the archive holds just what was made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.gpu.archive import read_archive
from bench.gpu.calling import CLOSING_S, Calling, table
from bench.gpu.file import GpuFile, Step
from bench.gpu.fresh_step import Ran, run_step
from bench.gpu.record import Call, Machine
from bench.toml_file import ROOT

MACHINE = Machine(device="cuda", device_name="a GPU", torch="2", cuda="13", python="3")


def steps(*names: str, least_s: float = 1.0) -> GpuFile:
    made = [
        Step(name=name, about=name, command="run", share=1.0, least_s=least_s) for name in names
    ]
    return GpuFile(about="", step=made)


def calling(results: Path, seconds: float = 60.0) -> Calling:
    minutes = (seconds + CLOSING_S) / 60
    return Calling(MACHINE, results, results.parent / "a.tar.gz", minutes, rehearsal=False)


def do(made: Calling, file: GpuFile, run: object) -> Call:
    return made.do(file, lambda *_: None, lambda _: None, run)  # type: ignore[arg-type]


def write(results: Path, name: str, content: str = "{}") -> None:
    (results / name).parent.mkdir(parents=True, exist_ok=True)
    (results / name).write_text(content)


def test_the_archive_holds_what_was_made_or_changed_and_nothing_else(results: Path) -> None:
    old, changed, new, lone = (f"records/{digit * 16}" for digit in "0123")
    for stem in (old, changed):
        write(results, f"{stem}.json")
        write(results, f"{stem}.npz")

    def run(step: Step, limit: float) -> Ran:
        write(results, f"{changed}.json", '{"again": 1}')
        write(results, f"{new}.json")
        write(results, f"{new}.npz", "predictions")
        write(results, f"{lone}.npz", "of a run that was ended before its record")
        write(results, "races/gpu.json")
        write(results, "running/1.json")
        return Ran("done", 1.0, "said")

    made = calling(results)
    call = do(made, steps("a"), run)
    read, files = read_archive(made.archives[0])
    wanted = {f"{changed}.json", f"{changed}.npz", f"{new}.json", f"{new}.npz", "races/gpu.json"}
    assert set(files) == wanted == set(call.files) == set(read.files)
    assert files[f"{new}.npz"] == b"predictions"
    assert call.steps[0].files == len(wanted)
    assert read.machine == MACHINE


def test_an_overdue_or_failed_step_never_loses_the_others(results: Path) -> None:
    endings = {"a": "overdue", "b": "failed", "c": "done"}

    def run(step: Step, limit: float) -> Ran:
        write(results, f"races/{step.name}.json")
        return Ran(endings[step.name], limit, "said")  # type: ignore[arg-type]

    made = calling(results, seconds=3.0)
    call = do(made, steps("a", "b", "c"), run)
    assert {step.name: step.ending for step in call.steps} == endings
    assert set(call.files) == {"races/a.json", "races/b.json", "races/c.json"}
    assert [row["step"] for row in table(call)] == ["a", "b", "c"]


def test_an_overdue_step_is_taken_up_again_where_time_is_left(results: Path) -> None:
    tries: list[tuple[str, float]] = []

    def run(step: Step, limit: float) -> Ran:
        tries.append((step.name, limit))
        again = step.name == "a" and [name for name, _ in tries].count("a") == 1
        return Ran("overdue" if again else "done", 0.5, "said")

    call = do(calling(results, 60.0), steps("a", "b"), run)
    assert [name for name, _ in tries] == ["a", "b", "a"]
    assert [limit for _, limit in tries] == pytest.approx([30.0, 60.0, 60.0], abs=2.0)
    assert {step.name: step.seconds for step in call.steps} == {"a": 1.0, "b": 0.5}
    assert all(step.ending == "done" for step in call.steps)


def test_a_step_for_which_too_little_is_left_is_left_with_the_reason(results: Path) -> None:
    call = do(calling(results, 5.0), steps("a", least_s=30.0), lambda *_: pytest.fail("begun"))
    assert call.steps[0].ending == "left"
    assert call.steps[0].said.startswith("needs 30 s, 5 s")


def test_an_interruption_leaves_an_archive_of_what_was_made(results: Path) -> None:
    def run(step: Step, limit: float) -> Ran:
        write(results, f"races/{step.name}.json")
        if step.name == "b":
            raise KeyboardInterrupt
        return Ran("done", 1.0, "said")

    made = calling(results)
    with pytest.raises(KeyboardInterrupt):
        do(made, steps("a", "b", "c"), run)
    call, files = read_archive(made.archives[0])
    assert set(files) == {"races/a.json", "races/b.json"}
    assert {step.name: step.ending for step in call.steps} == {"a": "done", "b": "overdue"}


def test_an_archive_that_is_there_is_never_written_over(results: Path) -> None:
    do(calling(results), steps("a"), lambda *_: Ran("done", 0.0, ""))
    with pytest.raises(InputError, match="an archive of that name"):
        calling(results)


SLOW = """
import subprocess, time
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    """A process that has ended and not been waited for yet runs no more."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.parametrize(("code", "said"), [(SLOW, None), (DEAF, "deaf")], ids=["slow", "deaf"])
def test_an_overdue_process_ends_within_its_time_and_its_children_with_it(
    code: str, said: str | None, tmp_path: Path
) -> None:
    start = time.monotonic()
    ran = run_step([sys.executable, "-c", code], 2.0, tmp_path / "log", {})
    assert ran.ending == "overdue"
    assert time.monotonic() - start < 4.0
    if said is None:
        assert not is_running(int(ran.said))
    else:
        assert ran.said == said


@pytest.mark.parametrize(
    ("code", "ending"), [(0, "done"), (1, "with faults"), (2, "failed"), (130, "failed")]
)
def test_how_a_step_ended_is_told_by_its_exit_code(code: int, ending: str, tmp_path: Path) -> None:
    program = f"import sys; print('first'); print('last'); sys.exit({code})"
    ran = run_step([sys.executable, "-c", program], 20.0, tmp_path / "log", {})
    assert (ran.ending, ran.said) == (ending, "last")


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from bench.gpu.calling import Calling
from bench.gpu.fresh_step import run_step
from tests.bench.gpu.test_calling import MACHINE, steps
results = Path({results!r})

def run(step, limit):
    code = "import time; print(1, flush=True); " + ("time.sleep(60)" if step.name == "b" else "")
    if step.name == "a":
        (results / "races").mkdir(parents=True, exist_ok=True)
        (results / "races" / "a.json").write_text("{{}}")
    else:
        print("b begins", flush=True)
    return run_step([sys.executable, "-c", code], limit, results / "log", {{}})

Calling(MACHINE, results, Path({archive!r}), 5, rehearsal=False).do(
    steps("a", "b"), lambda *_: None, lambda _: None, run)
"""


def test_a_killed_call_has_left_its_archive_and_the_next_goes_on(
    results: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "killed.tar.gz"
    program = KILLED.format(root=str(ROOT), results=str(results), archive=str(archive))
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"b begins\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    call, files = read_archive(archive)
    assert [step.name for step in call.steps] == ["a"]
    assert set(files) == {"races/a.json"}

    def run(step: Step, limit: float) -> Ran:  # a finds its record, b makes its own
        if step.name == "b":
            write(results, "races/b.json")
        return Ran("done", 0.1, "kept")

    made = calling(results)
    assert set(do(made, steps("a", "b"), run).files) == {"races/b.json"}
