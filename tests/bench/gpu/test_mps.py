"""Overlapping trainings: the daemon runs for the step and no longer; without it all goes on."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.gpu import mps
from bench.gpu.calling import Calling
from bench.gpu.file import GpuFile, Step, load_steps
from bench.gpu.mps import CONTROL, PIPES, overlapping
from bench.gpu.record import Machine

SAYS_ALL = """#!/bin/sh
echo "$@" "$(cat)" "$CUDA_MPS_PIPE_DIRECTORY" >> {log}
exit {code}
"""


def control(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = 0) -> Path:
    """A stand-in for the driver's program, first on the path; returns its log."""
    folder.mkdir()
    program, log = folder / CONTROL, folder / "log"
    program.write_text(SAYS_ALL.format(log=log, code=code))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv(PIPES, raising=False)
    return log


def test_it_runs_for_the_step_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = control(tmp_path / "bin", monkeypatch)
    with suppress(KeyboardInterrupt), overlapping() as overlap:
        pipes = overlap.environment[PIPES]
        assert log.read_text().split() == ["-d", pipes]
        assert Path(pipes).is_dir()
        raise KeyboardInterrupt
    assert log.read_text().split()[2:] == ["quit", "-t", "3", pipes]
    assert not Path(pipes).exists()
    assert overlap.told == "under MPS"


def test_where_there_is_none_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control(tmp_path / "bin", monkeypatch, code=1)
    with overlapping() as failed:
        assert failed.told == f"without MPS, in turns: {CONTROL} ended with 1"
        assert failed.environment == {}
    monkeypatch.setenv("PATH", str(tmp_path))
    with overlapping() as absent:
        assert absent.told == f"without MPS, in turns: no {CONTROL} here"


def test_one_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control(tmp_path / "bin", monkeypatch)
    (tmp_path / "bin" / CONTROL).write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(mps, "WAIT_S", 0.2)
    with overlapping() as overlap:
        assert overlap.told == f"without MPS, in turns: {CONTROL}: TimeoutExpired"


def test_one_that_runs_already_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = control(tmp_path / "bin", monkeypatch)
    monkeypatch.setenv(PIPES, "theirs")
    with overlapping() as overlap:
        assert overlap.environment == {}
    assert not log.exists()


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_call_gives_a_step_that_asks_for_it_the_service_on_a_gpu_alone(
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
) -> None:
    log = control(tmp_path / "bin", monkeypatch)
    asked = tmp_path / "asked"  # in place of the bench
    asked.write_text(f"#!/bin/sh\necho pipes ${{{PIPES}}}, $@\n")
    asked.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(asked))
    machine = Machine(device=device, device_name="one", torch="2", cuda=None, python="3")  # type: ignore[arg-type]
    calling = Calling(machine, results, tmp_path / "a.tar.gz", 1.0, rehearsal=False)
    asks = Step(name="a", about="", command="run", share=1, least_s=1, mps=True)
    plain = Step(name="b", about="", command="race", share=1, least_s=1)
    call = calling.do(GpuFile(about="", step=[asks, plain]), lambda *_: None, lambda _: None)
    first, second = (step.said for step in call.steps)
    assert second == "pipes , -m bench race"
    if device == "cpu":
        assert first == "pipes , -m bench run"
        assert not log.exists()
    else:
        assert first == f"pipes {log.read_text().split()[1]}, -m bench run (under MPS)"


def test_what_is_timed_never_overlaps(tmp_path: Path) -> None:
    step = '[[step]]\nname = "a"\nabout = ""\ncommand = "{}"\nshare = 1\nleast_s = 1\nmps = true\n'
    file = tmp_path / "steps.toml"
    file.write_text('about = ""\n' + step.format("run"))
    assert load_steps(file).step[0].mps
    for timed in ("race", "measure", "kernels"):
        file.write_text('about = ""\n' + step.format(timed))
        with pytest.raises(InputError, match=f"{timed} is timed or checked alone"):
            load_steps(file)
