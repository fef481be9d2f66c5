"""TensorBoard is an option: its points are the epochs, and without it nothing else changes."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.execution.curves import Curves
from bench.records.schema import Epoch
from bench.training.loop import Progress
from tests._helpers.specs import run_spec

Bench = Callable[..., Any]
PROGRESS = Progress(1, 9, 0.1, None)


def epoch(number: int, loss: float) -> Epoch:
    return Epoch(
        epoch=number,
        train_loss=loss,
        val_loss=2.0,
        val_acc=0.5,
        val_auc=None,
        lr=1e-3,
        seconds=2.0,
    )


def points(folder: Path, name: str) -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (run,) = folder.iterdir()
    read = EventAccumulator(str(run))
    read.Reload()
    return [(point.step, point.value) for point in read.Scalars(name)]


def test_each_epoch_is_a_point_and_one_done_anew_replaces_what_came_after(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the [tensorboard] extra is not installed")
    with Curves(tmp_path, run_spec()) as curves:
        for number in (1, 2, 3):
            curves.add(PROGRESS, epoch(number, loss=number))
    assert points(tmp_path, "loss/train") == [(1, 1.0), (2, 2.0), (3, 3.0)]
    with Curves(tmp_path, run_spec()) as curves:  # killed in epoch 3, resumed after epoch 1
        for number in (2, 3, 4):
            curves.add(PROGRESS, epoch(number, loss=10 * number))
    assert points(tmp_path, "loss/train") == [(1, 1.0), (2, 20.0), (3, 30.0), (4, 40.0)]
    (run,) = tmp_path.iterdir()
    assert run.name == f"resnet18_breastmnist_seed_0_{run_spec().id}"


def test_curves_that_cannot_be_written_stop_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("tensorboard", reason="the [tensorboard] extra is not installed")
    (tmp_path / "file").write_text("where the folder should be")
    with caplog.at_level(logging.WARNING), Curves(tmp_path / "file", run_spec()) as curves:
        curves.add(PROGRESS, epoch(1, loss=1.0))
        curves.add(PROGRESS, epoch(2, loss=1.0))
    assert caplog.text.count("no more curves of this run") == 1


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    with Curves(None, run_spec()) as curves:
        curves.add(PROGRESS, epoch(1, loss=1.0))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_said_before_anything_trains(
    bench: Bench, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboard" else find(name)
    )
    said = bench("run", suite_file, "--tensorboard", results / "tb")
    assert said.code == 2
    assert said.err.strip() == (
        "--tensorboard: TensorBoard is not installed; "
        "run: python -m pip install -c constraints.txt -e '.[tensorboard]'"
    )
    assert not results.exists()
