"""Stand-in files in MedMNIST's form: the published counts and shapes, random content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data import medmnist

Arrays = dict[str, Any]


def _stand_in(flag: str, size: int) -> Arrays:
    entry = medmnist.info_by_flag()[flag]
    rng = np.random.default_rng(0)
    classes = len(entry["label"])
    arrays: Arrays = {}
    for split, count in entry["n_samples"].items():
        shape = (count, size, size) + ((3,) if entry["n_channels"] == 3 else ())
        arrays[f"{split}_images"] = np.zeros(shape, dtype=np.uint8)
        arrays[f"{split}_images"][:: max(count // 50, 1)] = rng.integers(0, 256, dtype=np.uint8)
        if entry["task"] == "multi-label, binary-class":
            arrays[f"{split}_labels"] = rng.integers(0, 2, (count, classes), dtype=np.uint8)
        else:
            arrays[f"{split}_labels"] = (np.arange(count) % classes).astype(np.uint8)[:, None]
    return arrays


@pytest.fixture
def stand_in() -> Callable[[str, int], Arrays]:
    """Six arrays as the file of a flag and a size holds them."""
    return _stand_in


@pytest.fixture
def medmnist_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty MEDMNIST_ROOT, and a home without ``.medmnist``."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("MEDMNIST_ROOT", str(root))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return root
