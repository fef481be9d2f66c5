"""Planning: what is refused before anything trains, and what a dry run leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Bench = Callable[..., Any]


def write_npz(path: Path, val_labels: list[int], train_labels: list[int] | None = None) -> None:
    """Own data at 28 px in MedMNIST's form."""
    rng = np.random.default_rng(0)
    labels = {"train": train_labels or [0, 1] * 16, "val": val_labels, "test": [0, 1]}
    arrays = {}
    for split, values in labels.items():
        arrays[f"{split}_images"] = rng.integers(0, 256, (len(values), 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.array(values, dtype=np.uint8)[:, None]
    np.savez(path, **arrays)  # type: ignore[arg-type]


@pytest.fixture
def own_suite(suite_file: Path) -> Path:
    """The tiny suite on own.npz beside it."""
    text = suite_file.read_text().replace("phantom-joint", "own")
    old = "options = { n_train = 32, n_val = 32, n_test = 32 }"
    suite_file.write_text(text.replace(old, 'path = "own.npz"'))
    return suite_file


def test_own_data_trains_and_its_description_is_part_of_the_identity(
    bench: Bench, own_suite: Path, results: Path
) -> None:
    write_npz(own_suite.with_name("own.npz"), [0, 1])
    only = ["--only", "model=small,seed=0,control=none"]
    assert bench("run", own_suite, *only).code == 0
    text = own_suite.read_text()
    for said in ('classes = ["a", "b"]', 'label_preserving = ["shift"]'):
        own_suite.write_text(text.replace('path = "own.npz"', f'path = "own.npz"\n{said}'))
        assert "1 to do" in bench("run", own_suite, *only, "--dry-run").out
    own_suite.write_text(text)
    assert "0 to do" in bench("run", own_suite, *only, "--dry-run").out
    assert "done" in bench("status", own_suite).out
    write_npz(own_suite.with_name("own.npz"), [1, 0, 1])  # other data under the same name
    assert "1 to do" in bench("run", own_suite, *only, "--dry-run").out
    assert "done" not in bench("status", own_suite).out


def test_validation_of_one_class_is_refused_where_auc_chooses(
    bench: Bench, own_suite: Path, results: Path
) -> None:
    write_npz(own_suite.with_name("own.npz"), [1, 1])
    said = bench("run", own_suite)
    assert said.code == 2
    assert "one class only" in said.err
    assert not list(results.glob("records/*"))


def test_a_class_without_training_images_is_refused(
    bench: Bench, own_suite: Path, results: Path
) -> None:
    write_npz(own_suite.with_name("own.npz"), [0, 1], [0, 2] * 16)
    said = bench("run", own_suite)
    assert said.code == 2
    assert "no image of '1' to learn from" in said.err


def test_a_dry_run_downloads_nothing(
    bench: Bench, suite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path / "empty"))
    monkeypatch.setenv("HOME", str(tmp_path))

    def download(*_: object, **__: object) -> None:
        raise AssertionError("asked for the network")

    monkeypatch.setattr("bench.data.medmnist.download", download)
    text = suite_file.read_text().replace("phantom-joint", "breastmnist")
    text = text.replace("options = { n_train = 32, n_val = 32, n_test = 32 }", "")
    suite_file.write_text(text.replace("[dataset.breastmnist]", ""))
    said = bench("run", suite_file, "--dry-run")
    assert said.code == 0
    assert "breastmnist is not here" in said.out


def test_phantoms_and_real_data_never_stand_in_one_suite(bench: Bench, suite_file: Path) -> None:
    text = suite_file.read_text()
    old = 'datasets = ["phantom-joint"]\nseeds = [0, 1]'
    suite_file.write_text(text.replace(old, old.replace("]", ', "breastmnist"]', 1), 1))
    said = bench("run", suite_file)
    assert said.code == 2
    assert "synthetic phantom-joint and real breastmnist in one suite" in said.err


def test_compiled_passes_are_refused_on_a_cpu(bench: Bench, suite_file: Path) -> None:
    text = suite_file.read_text().replace("threads = 1", 'threads = 1\ncompiled = "default"')
    suite_file.write_text(text)
    said = bench("run", suite_file, "--dry-run")
    assert said.code == 2
    assert "compiled: compiled training passes are for a CUDA device" in said.err
