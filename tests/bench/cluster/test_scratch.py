"""A node's own results folder: files whole or not there, and none of them forced to disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bench.cluster.scratch import ScratchStore
from bench.errors import CannotWrite
from bench.records.store import Store


def test_it_is_read_as_any_other_and_waits_for_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    content = ScratchStore(tmp_path).save_predictions("a", {"x": np.arange(3)})
    assert not synced
    store = Store(tmp_path)
    assert store.predictions_path("a").read_bytes() == content
    assert [path.name for path in store.folder.iterdir()] == ["a.npz"]
    store.save_predictions("b", {"x": np.arange(3)})
    assert synced


def test_a_disk_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("no folder")
    with pytest.raises(CannotWrite, match=r"a\.npz: cannot be written .*TMPDIR"):
        ScratchStore(tmp_path).save_predictions("a", {"x": np.arange(3)})


def test_nothing_of_a_file_stays_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CannotWrite, match="No space left"):
        ScratchStore(tmp_path).save_predictions("a", {"x": np.arange(3)})
    assert list((tmp_path / "records").iterdir()) == []
