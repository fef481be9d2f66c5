"""Who is at work: shown while alive, gone afterwards, never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.execution import running as module
from bench.execution.running import RunningFile, claim, running


def test_a_run_is_shown_while_it_lasts_and_gone_after_it(tmp_path: Path) -> None:
    with RunningFile(tmp_path, "a" * 16, "label") as file:
        (state,) = running(tmp_path).values()
        assert (state.id, state.cell_key, state.pid) == ("a" * 16, "label", os.getpid())
        file.update(0.5)  # too soon after the first: not written
        assert running(tmp_path)["a" * 16].fraction == 0.0
    assert running(tmp_path) == {}


def test_progress_is_written_once_enough_time_has_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY_S", 0.0)
    with RunningFile(tmp_path, "a" * 16, "label") as file:
        file.update(0.5)
        assert running(tmp_path)["a" * 16].fraction == 0.5


def test_a_process_that_was_killed_does_not_count(tmp_path: Path) -> None:
    with RunningFile(tmp_path, "a" * 16, "label"):
        path = tmp_path / "running" / f"{'a' * 16}.json"
        state = json.loads(path.read_text())
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        path.write_text(json.dumps(state | {"pid": dead.pid}))
        assert running(tmp_path) == {}


def test_a_broken_file_or_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "running").write_text("a file where the folder should be")
    with RunningFile(tmp_path, "a" * 16, "label"):
        pass
    (tmp_path / "running").unlink()
    (tmp_path / "running").mkdir()
    (tmp_path / "running" / "x.json").write_text("{")
    assert running(tmp_path) == {}


HOLD = """
import sys
from pathlib import Path
from bench.execution.running import claim
with claim(Path(sys.argv[1]), "e" * 16) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def test_a_run_is_claimed_by_one_process_and_free_again_when_that_is_killed(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with claim(tmp_path, "e" * 16) as mine:
            assert not mine
        with claim(tmp_path, "f" * 16) as mine:
            assert mine
        other.kill()
        other.wait()
        with claim(tmp_path, "e" * 16) as mine:
            assert mine
    assert list((tmp_path / "running").iterdir()) == []


def test_without_a_place_for_locks_every_process_gets_the_run(tmp_path: Path) -> None:
    (tmp_path / "running").write_text("a file where the folder should be")
    with claim(tmp_path, "e" * 16) as mine:
        assert mine
