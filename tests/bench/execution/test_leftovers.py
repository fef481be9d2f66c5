"""What a kill leaves is removed, but never under a process at work."""

from __future__ import annotations

from pathlib import Path

from bench.execution.leftovers import sweep
from bench.execution.running import claim


def _leave(results: Path, run_id: str) -> list[Path]:
    paths = [
        results / "checkpoints" / f"{run_id}.pt",
        results / "checkpoints" / f".{run_id}.pt.ab",
        results / "running" / f"{run_id}.json",
        results / "running" / f".{run_id}.json.ab",
        results / "running" / f"{run_id}.lock",
        results / "records" / f".{run_id}.json.ab",
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (results / "records" / f"{run_id}.json").touch()
    return paths


def test_leftovers_of_finished_runs_go_and_records_stay(tmp_path: Path) -> None:
    done, other = _leave(tmp_path, "done"), _leave(tmp_path, "other")
    sweep(tmp_path, ["done", "never"])
    assert not any(path.exists() for path in done)
    assert all(path.exists() for path in other)
    assert (tmp_path / "records" / "done.json").exists()


def test_nothing_is_taken_from_a_run_at_work(tmp_path: Path) -> None:
    paths = _leave(tmp_path, "busy")
    with claim(tmp_path, "busy") as mine:
        assert mine
        paths[0].touch()
        sweep(tmp_path, ["busy"])
        assert paths[0].exists()


def test_whoever_claims_a_run_sweeps_what_was_half_written(tmp_path: Path) -> None:
    paths = _leave(tmp_path, "again")
    with claim(tmp_path, "again") as mine:
        assert mine
        assert not paths[3].exists()
        assert not paths[5].exists()
        assert paths[0].exists()  # the checkpoint is what it goes on with
