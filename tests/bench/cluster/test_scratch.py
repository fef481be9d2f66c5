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
