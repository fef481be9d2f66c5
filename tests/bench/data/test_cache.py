"""The cache: what is kept is what was made, within a budget, and nothing damaged is ever used."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.data import cache as module
from bench.data.cache import Cache
from bench.errors import InputError

SHAPE = (50, 6, 7)
CONTENT = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
FILE_BYTES = 128 + CONTENT.nbytes + 32  # header, content, SHA-256


class Maker:
    """Makes an array in pieces and counts how often."""

    def __init__(self, content: NDArray[np.uint8] = CONTENT) -> None:
        self.content, self.calls = content, 0

    def __call__(self) -> Iterator[NDArray[np.uint8]]:
        self.calls += 1
        yield from (self.content[start : start + 8] for start in range(0, len(self.content), 8))


@pytest.fixture(autouse=True)
def _nothing_said() -> None:
    module._say_once.cache_clear()


def only_file(folder: Path) -> Path:
    (found,) = folder.glob("*.npy")
    return found


def test_made_once_then_read_by_numpy_too(tmp_path: Path) -> None:
    made = Maker()
    for _ in range(3):
        found = Cache(tmp_path / "new").array("key", SHAPE, made)
        assert isinstance(found, np.memmap)
        np.testing.assert_array_equal(found, CONTENT)
    assert made.calls == 1
    np.testing.assert_array_equal(np.load(only_file(tmp_path / "new")), CONTENT)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0
    Cache(tmp_path).array("another key", SHAPE, made)
    assert made.calls == 2


def cut(content: bytes) -> bytes:
    return content[:-1]


def lengthen(content: bytes) -> bytes:
    return content + b"\0"


def flip(place: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [cut, lengthen, flip(20), flip(128), flip(1500), flip(FILE_BYTES - 33), flip(FILE_BYTES - 1),
     lambda content: b"", lambda content: bytes(len(content))],
)  # fmt: skip
def test_a_cut_or_damaged_file_is_made_anew_and_never_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[bytes], bytes]
) -> None:
    made, cache = Maker(), Cache(tmp_path)
    cache.array("key", SHAPE, made)
    path = only_file(tmp_path)
    whole = path.read_bytes()
    assert len(whole) == FILE_BYTES
    path.write_bytes(spoil(whole))
    np.testing.assert_array_equal(cache.array("key", SHAPE, made), CONTENT)
    assert made.calls == 2
    assert caplog.messages == [f"{path}: damaged, made anew"]
    assert path.read_bytes() == whole


def test_a_file_of_another_shape_is_not_used(tmp_path: Path) -> None:
    Cache(tmp_path).array("key", SHAPE, Maker())
    other = CONTENT.reshape(50, 42)
    np.testing.assert_array_equal(Cache(tmp_path).array("key", (50, 42), Maker(other)), other)


def test_the_least_recently_used_go_when_the_budget_is_full(tmp_path: Path) -> None:
    cache = Cache(tmp_path, budget_bytes=3 * FILE_BYTES)
    makers = {name: Maker() for name in "abcd"}
    for age, name in enumerate("abc"):
        cache.array(name, SHAPE, makers[name])
        for path in tmp_path.glob("*.npy"):
            then = path.stat().st_mtime - 10  # the later ones are less old
            os.utime(path, (then, then))
        assert len(list(tmp_path.glob("*.npy"))) == age + 1
    cache.array("a", SHAPE, makers["a"])  # used again: b is now the oldest
    cache.array("d", SHAPE, makers["d"])
    assert sum(path.stat().st_size for path in tmp_path.glob("*.npy")) <= cache.budget_bytes
    for name in "acd":
        cache.array(name, SHAPE, makers[name])
    assert {name: maker.calls for name, maker in makers.items()} == dict.fromkeys("abcd", 1)
    cache.array("b", SHAPE, makers["b"])
    assert makers["b"].calls == 2


def test_what_was_dropped_can_still_be_read_by_who_maps_it(tmp_path: Path) -> None:
    cache = Cache(tmp_path, budget_bytes=FILE_BYTES)
    first = cache.array("first", SHAPE, Maker())
    cache.array("second", SHAPE, Maker(255 - CONTENT))
    assert len(list(tmp_path.glob("*.npy"))) == 1
    np.testing.assert_array_equal(first, CONTENT)


def test_what_others_drop_at_once_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = Path.replace

    def dropped(self: Path, target: Path) -> Path:
        moved = plain(self, target)
        moved.unlink()
        return moved

    monkeypatch.setattr(Path, "replace", dropped)
    np.testing.assert_array_equal(Cache(tmp_path).array("key", SHAPE, Maker()), CONTENT)
    assert not caplog.messages


def test_more_than_the_budget_is_held_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache, made = Cache(tmp_path, budget_bytes=FILE_BYTES - 1), Maker()
    for _ in range(2):
        found = cache.array("key", SHAPE, made)
        assert not isinstance(found, np.memmap)
        np.testing.assert_array_equal(found, CONTENT)
    assert made.calls == 2
    assert not list(tmp_path.iterdir())
    (line,) = caplog.messages
    assert "more than the cache may hold; held in memory (set BENCH_CACHE_GB" in line


def test_a_folder_that_cannot_be_written_is_said_once_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    for key in ("one", "two"):
        np.testing.assert_array_equal(cache.array(key, SHAPE, Maker()), CONTENT)
    scratch = cache.scratch(SHAPE)
    scratch[3] = 9
    assert not isinstance(scratch, np.memmap)
    assert caplog.record_tuples == [
        (
            "bench.data.cache",
            logging.WARNING,
            f"{cache.folder}: nothing can be cached here (Not a directory)",
        )
    ]


def test_no_folder_keeps_nothing_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    made = Maker()
    for _ in range(2):
        np.testing.assert_array_equal(Cache(None).array("key", SHAPE, made), CONTENT)
    assert made.calls == 2
    assert not caplog.messages


def test_a_file_that_is_not_finished_is_never_seen_and_removed_when_its_writer_is_gone(
    tmp_path: Path,
) -> None:
    def stopped() -> Iterator[NDArray[np.uint8]]:
        yield CONTENT[:8]
        assert len(list(tmp_path.glob(".*.part"))) == 1
        assert not list(tmp_path.glob("*.npy"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).array("key", SHAPE, stopped)
    assert not list(tmp_path.glob(".*.part"))
    fresh, old = tmp_path / ".a.npy.x.part", tmp_path / ".b.npy.y.part"
    for path in (fresh, old):
        path.write_bytes(b"killed")
    long_ago = time.time() - 2 * module.ABANDONED_S
    os.utime(old, (long_ago, long_ago))
    Cache(tmp_path).array("key", SHAPE, Maker())
    assert fresh.exists()
    assert not old.exists()


def test_files_that_others_are_writing_count_in_the_budget(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (tmp_path / ".a.npy.x.part").open("wb") as file:
        file.truncate(FILE_BYTES)
    found = Cache(tmp_path, budget_bytes=2 * FILE_BYTES - 1).array("key", SHAPE, Maker())
    np.testing.assert_array_equal(found, CONTENT)
    assert not list(tmp_path.glob("*.npy"))
    assert "other processes are filling it" in caplog.text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (CONTENT[:-1], "49 rows were made, the array has 50"),
        (CONTENT[:, :5], r"a piece is uint8 \(8, 5, 7\), the array uint8 \(50, 6, 7\)"),
        (CONTENT.astype(np.int16), "a piece is int16"),
    ],
)
def test_another_array_than_was_promised_is_an_error(
    tmp_path: Path, content: NDArray[np.uint8], problem: str
) -> None:
    for cache in (Cache(tmp_path), Cache(None)):
        with pytest.raises(ValueError, match=problem):
            cache.array("key", SHAPE, Maker(content))
    assert not [path for path in tmp_path.iterdir() if path.name != ".lock"]


def test_the_environment_names_folder_and_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCH_CACHE")
    monkeypatch.delenv("BENCH_CACHE_GB", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Cache.from_environment() == Cache(tmp_path / "medspectral-bench", 4 * 10**9)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Cache.from_environment().folder == tmp_path / ".cache" / "medspectral-bench"
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "named"))
    monkeypatch.setenv("BENCH_CACHE_GB", "0.5")
    assert Cache.from_environment() == Cache(tmp_path / "named", 5 * 10**8)
    monkeypatch.setenv("BENCH_CACHE", "")
    assert Cache.from_environment().folder is None
    for text in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv("BENCH_CACHE_GB", text)
        with pytest.raises(InputError, match=f"BENCH_CACHE_GB: '{text}' is not a size in GB"):
            Cache.from_environment()


def test_scratch_is_on_disk_and_leaves_no_file(tmp_path: Path) -> None:
    scratch = Cache(tmp_path).scratch(SHAPE)
    assert isinstance(scratch, np.memmap)
    scratch[:] = CONTENT
    np.testing.assert_array_equal(scratch, CONTENT)
    assert not list(tmp_path.iterdir())
