"""The store: whole or not at all, and nothing damaged is passed over in silence."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import InputError
from bench.records.schema import Provenance, Record
from bench.records.store import Store, write_atomic
from tests._helpers.specs import run_spec


def record(**changes: Any) -> Record:
    spec = run_spec()
    values: dict[str, Any] = {
        "kind": "training",
        "id": spec.id,
        "status": "failed",
        "reason": "planted",
        "spec": spec,
        "suite": None,
        "provenance": Provenance(
            commit=None,
            dirty=None,
            source_digest="0",
            packages={},
            python="3",
            platform="p",
            processor="c",
            device_name="c",
            threads=1,
            started_at=datetime.now(UTC),
            wall_s=0.1 + 0.2,  # a float that no short decimal equals
        ),
        "attempts": [],
    }
    return Record(**(values | changes))


def test_a_record_comes_back_exactly(tmp_path: Path) -> None:
    store, saved = Store(tmp_path), record()
    store.save(saved)
    assert store.load(saved.id) == saved
    assert store.all() == [saved]


def test_predictions_come_back_exactly(tmp_path: Path) -> None:
    store = Store(tmp_path)
    logits = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float16)
    content = store.save_predictions("a" * 16, {"test_logits": logits})
    assert store.predictions_path("a" * 16).read_bytes() == content
    loaded = store.load_predictions("a" * 16)["test_logits"]
    assert loaded.dtype == np.float16
    np.testing.assert_array_equal(loaded, logits)


DAMAGE: dict[str, Callable[[str], str]] = {
    "cut short": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "a key too many": lambda text: text.replace('"kind"', '"extra": 1, "kind"', 1),
    "another run's content": lambda text: text.replace('"seed": 0', '"seed": 1', 1),
    "a wrong type": lambda text: text.replace('"attempts": []', '"attempts": 3', 1),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_record_is_named_and_nothing_is_touched(tmp_path: Path, kind: str) -> None:
    store, saved = Store(tmp_path), record()
    store.save(saved)
    path = store.path(saved.id)
    damaged = DAMAGE[kind](path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    with pytest.raises(InputError, match=f"{saved.id}.json: damaged record") as caught:
        store.all()
    assert "\n" not in str(caught.value)
    assert path.read_text() == damaged


def test_a_store_that_repairs_sets_a_damaged_record_aside(tmp_path: Path) -> None:
    store, saved = Store(tmp_path, repair=True), record()
    store.save(saved)
    path = store.path(saved.id)
    path.write_text("{")
    assert store.load(saved.id) is None
    assert list(store.set_aside) == [path]
    assert path.with_name(path.name + ".damaged").read_text() == "{"
    assert store.all() == []


def test_a_second_damage_does_not_overwrite_the_first(tmp_path: Path) -> None:
    store, saved = Store(tmp_path, repair=True), record()
    for content in ("{", "["):
        store.save(saved)
        store.path(saved.id).write_text(content)
        store.load(saved.id)
    kept = sorted(path.read_text() for path in store.folder.glob("*.damaged*"))
    assert kept == ["[", "{"]


def test_a_record_of_another_version_is_not_damaged(tmp_path: Path) -> None:
    store, saved = Store(tmp_path, repair=True), record()
    store.save(saved)
    path = store.path(saved.id)
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2', 1))
    with pytest.raises(InputError, match="schema version 2, this program reads 1"):
        store.load(saved.id)
    assert path.exists()


def test_what_cannot_be_read_is_never_moved(tmp_path: Path) -> None:
    store = Store(tmp_path, repair=True)
    store.path("c" * 16).mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be read"):
        store.load("c" * 16)
    assert store.path("c" * 16).is_dir()


def test_whole_records_are_read_beside_damaged_ones_and_those_are_named(tmp_path: Path) -> None:
    store, saved = Store(tmp_path, repair=True), record()
    store.save(saved)
    store.path("d" * 16).write_text("{")
    records, damaged = store.readable()
    assert records == [saved]
    assert len(damaged) == 1
    assert "d" * 16 in damaged[0]
    assert store.path("d" * 16).exists()


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    write_atomic(path, b"old")

    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]


def test_an_unusable_results_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file, not a folder")
    with pytest.raises(InputError, match="BENCH_RESULTS") as caught:
        Store(tmp_path / "results").check(writable=True)
    assert caught.value.exit_code == 2


def test_a_check_for_reading_creates_nothing(tmp_path: Path) -> None:
    Store(tmp_path / "results").check(writable=False)
    assert list(tmp_path.iterdir()) == []


def test_damaged_predictions_are_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(InputError, match="predictions cannot be read"):
        store.load_predictions("b" * 16)
    store.save_predictions("b" * 16, {"x": np.zeros(100)})
    path = store.predictions_path("b" * 16)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match="predictions cannot be read"):
        store.load_predictions("b" * 16)
