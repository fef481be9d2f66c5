"""What is kept is given back as it was or not at all, whatever happened to the file."""

from __future__ import annotations

import logging
import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from bench.report.cache import NAME, DerivedCache, key, without_cache

MADE = {key("a", "code", str(n)): f"value {n}".encode() * 10 for n in range(1200)}


@pytest.fixture
def cache(tmp_path: Path) -> DerivedCache:
    return DerivedCache(tmp_path / "kept" / NAME, 10**6)


def test_what_was_put_is_found_and_nothing_else(cache: DerivedCache) -> None:
    assert cache.get(MADE) == {}
    cache.put(MADE)
    assert cache.get([*MADE, key("a", "other code", "1"), key("b", "code", "1")]) == MADE


def test_a_key_tells_its_parts_apart() -> None:
    assert len({key("a", "b"), key("a", "b", ""), key("ab", ""), key("a", "b", "c", "d")}) == 4
    assert key("a", "b", "c", "d") != key("a", "b", "cd")


def test_a_changed_value_is_named_and_never_given(
    cache: DerivedCache, caplog: pytest.LogCaptureFixture
) -> None:
    cache.put(MADE)
    name = next(iter(MADE))
    assert cache.path is not None
    with sqlite3.connect(cache.path) as database:
        database.execute("UPDATE derived SET content = ? WHERE key = ?", (b"value 1", name))
    database.close()
    with caplog.at_level(logging.WARNING):
        assert cache.get(MADE) == {k: v for k, v in MADE.items() if k != name}
    (line,) = caplog.messages
    assert line == f"{cache.path}: 1 values are damaged, made anew"
    cache.put({name: MADE[name]})
    assert cache.get(MADE) == MADE


@pytest.mark.parametrize("damage", ["other bytes", "cut", "flipped"])
def test_a_damaged_file_is_named_and_made_anew(
    cache: DerivedCache, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    cache.put(MADE)
    assert cache.path is not None
    content = bytearray(cache.path.read_bytes())
    if damage == "flipped":
        content[100:20_000:50] = bytes(byte ^ 0xFF for byte in content[100:20_000:50])
    whole = {"other bytes": b"no database" * 500, "cut": bytes(content[:5000])}
    cache.path.write_bytes(whole.get(damage, bytes(content)))
    with caplog.at_level(logging.WARNING):
        found = cache.get(MADE)
    assert found.items() < MADE.items()
    assert len(caplog.messages) == 1
    assert str(cache.path) in caplog.text
    cache.put(MADE)
    assert cache.get(MADE) == MADE


def test_a_place_that_cannot_be_used_is_said_once_and_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / NAME).mkdir()
    cache = DerivedCache(tmp_path / NAME, 10**6)
    with caplog.at_level(logging.WARNING):
        cache.put(MADE)
        assert cache.get(MADE) == {}
    (line,) = caplog.messages
    assert "nothing is kept here" in line
    assert (tmp_path / NAME).is_dir()


def test_the_longest_unused_go_first(cache: DerivedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = ({key("a", age): bytes(400_000)} for age in ("old", "new"))
    today = [1]
    monkeypatch.setattr("bench.report.cache._today", lambda: today[0])
    cache.put(new)
    cache.put(old)
    today[0] = 2
    cache.get(new)  # used again
    cache.put({key("a", "third"): bytes(400_000)})
    assert cache.get(old) == {}
    assert cache.get(new) == new


def test_the_environment_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("BENCH_CACHE_GB", "2")
    assert DerivedCache.from_environment() == DerivedCache(tmp_path / NAME, 500_000_000)
    with without_cache():
        assert DerivedCache.from_environment().path is None
    monkeypatch.setenv("BENCH_CACHE", "")
    none = DerivedCache.from_environment()
    none.put(MADE)
    assert none.get(MADE) == {}


def _put(path: Path, start: int) -> None:
    for number in range(start, start + 20):
        DerivedCache(path, 10**6).put({key("a", str(number)): str(number).encode()})


def test_two_processes_may_put_at_once(cache: DerivedCache) -> None:
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=_put, args=(cache.path, start)) for start in (0, 10)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    wanted = {key("a", str(number)): str(number).encode() for number in range(30)}
    assert cache.get(wanted) == wanted
