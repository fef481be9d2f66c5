"""What the chaos trial calls a difference."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from bench.engine.chaos import _compare, _left_behind

Outcomes = dict[str, tuple[JsonValue, bytes]]

WANTED: Outcomes = {"a": ({"acc": 0.5}, b"1"), "b": ({"acc": 0.6}, b"2")}


def test_each_kind_of_difference_is_named() -> None:
    assert _compare(WANTED, WANTED) == []
    found: Outcomes = {"a": ({"acc": 0.5}, b"other"), "c": ({"acc": 0.1}, b"")}
    assert sorted(_compare(WANTED, found)) == [
        "a: other predictions",
        "b: no record",
        "c: not asked for",
    ]
    assert _compare(WANTED, WANTED | {"b": ({"acc": 0.7}, b"2")}) == ["b: another record"]


def test_files_left_behind_are_differences(tmp_path: Path) -> None:
    for name in ("records/a.json", "records/a.npz", "logs/a.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert _left_behind(tmp_path) == []
    for name in ("records/.a.json.x1", "checkpoints/a.pt", "running/a.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert len(_left_behind(tmp_path)) == 3
