"""``run --stream`` as its user meets it: the same records, with nothing read whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Bench = Callable[..., Any]


@pytest.fixture
def own_suite(tmp_path: Path, suite_file: Path) -> Path:
    """One run on own data in an ``.npz`` that is not compressed."""
    rng, arrays = np.random.default_rng(0), dict[str, Any]()
    for split in ("train", "val", "test"):
        arrays[f"{split}_images"] = rng.integers(0, 256, (24, 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(24) % 2)[:, None]
    np.savez(tmp_path / "mine.npz", **arrays)
    text = (
        suite_file.read_text().partition("[[grid]]")[0]
        + f"""
[[grid]]
models = ["small"]
datasets = ["mine"]
seeds = [0]

[model.small]
timm = "test_resnet"

[dataset.mine]
path = "{tmp_path / "mine.npz"}"

[cost]
num_classes = 2
batch_size = 2
seconds_per_model = 0.2
"""
    )
    suite_file.write_text(text)
    return suite_file


def test_streaming_leaves_the_same_records_and_reads_no_image_array(
    bench: Bench, own_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.data import npz
    from bench.data.arrays import read_arrays

    read: list[str] = []

    def seen(path: Path, *keys: Any) -> Any:
        found = read_arrays(path, *keys)
        read.extend(found)
        return found

    monkeypatch.setattr(npz, "read_arrays", seen)
    kept = []
    for name, options in (("held", ()), ("streamed", ("--stream",))):
        monkeypatch.setenv("BENCH_RESULTS", str(tmp_path / name))
        read.clear()
        said = bench("run", own_suite, *options)
        assert said.code == 0, said.err
        assert any(key.endswith("_images") for key in read) is (name == "held")
        (predictions,) = (tmp_path / name / "records").glob("*.npz")
        kept.append((predictions.name, predictions.read_bytes()))
    assert kept[0] == kept[1]


def test_a_cache_size_that_is_none_is_refused_before_anything_is_trained(
    bench: Bench, own_suite: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE_GB", "lots")
    said = bench("run", own_suite)
    assert said.code == 2
    assert "BENCH_CACHE_GB: 'lots' is not a size in GB; give a number" in said.err
    assert not results.exists()
