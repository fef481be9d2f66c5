"""A run read from disk batch by batch is the run held in memory, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.data import catalog
from bench.data.dataset import LockedSplit
from bench.records.schema import TrainingResult
from bench.records.store import Store
from bench.run import experiment
from bench.run.options import RunOptions
from bench.specs import Control, DatasetSpec, ModelSpec, RunSpec
from bench.training.loop import fit
from bench.training.selection import Selection
from tests._helpers.specs import protocol, run_spec


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Dark and bright noise in RGB, stored and not compressed."""
    rng, arrays = np.random.default_rng(0), dict[str, Any]()
    for split, count in (("train", 41), ("val", 20), ("test", 17)):
        labels = np.arange(count) % 2
        levels = rng.normal(100 + 40 * labels[:, None, None, None], 30, (count, 20, 20, 3))
        arrays[f"{split}_images"] = levels.clip(0, 255).astype(np.uint8)
        arrays[f"{split}_labels"] = labels[:, None].astype(np.uint8)
    np.savez(tmp_path / "mine.npz", **arrays)
    return tmp_path / "mine.npz"


def spec(control: Control | None, **changes: Any) -> RunSpec:
    return run_spec(
        model=ModelSpec(name="small", timm="test_resnet"),
        image_size=32,
        control=control,
        protocol=protocol(epochs=2, batch_size=8, augment={}, **changes),
        threads=1,
    )


@pytest.fixture
def trained(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Store, RunSpec, TrainingResult, Selection]]:
    def train(
        folder: Path, asked: RunSpec, *, stream: bool
    ) -> tuple[Store, RunSpec, TrainingResult, Selection]:
        selections: list[Selection] = []

        def seen(*arguments: Any, **options: Any) -> Selection:
            selections.append(fit(*arguments, **options))
            return selections[-1]

        monkeypatch.setattr(experiment, "fit", seen)
        data = catalog.load(DatasetSpec(name="mine", path=str(file)), 20, stream=stream)
        store, options = Store(folder), RunOptions(stream=stream)
        torch.set_num_threads(asked.threads)
        result = experiment.train_and_score(asked, data, store, options, lambda _: None)
        monkeypatch.setattr(experiment, "fit", fit)
        return store, asked, result, selections[0]

    return train


@pytest.mark.parametrize(
    "control", [None, Control(kind="shuffle", grid=4), Control(kind="blur", sigma=1.0)]
)
def test_streamed_and_held_runs_are_the_same_bits(
    tmp_path: Path, trained: Callable[..., Any], control: Control | None
) -> None:
    _, asked, held, held_selection = trained(tmp_path / "held", spec(control), stream=False)
    store, _, streamed, selection = trained(tmp_path / "streamed", spec(control), stream=True)
    assert streamed.predictions_sha256 == held.predictions_sha256
    assert (tmp_path / "held/records" / f"{asked.id}.npz").read_bytes() == (
        store.predictions_path(asked.id).read_bytes()
    )
    for name, weight in held_selection.model.state_dict().items():
        assert torch.equal(weight, selection.model.state_dict()[name]), name
    assert (streamed.val, streamed.test) == (held.val, held.test)


def test_labels_are_shuffled_alike(tmp_path: Path, trained: Callable[..., Any]) -> None:
    asked = spec(None, shuffle_labels=True)
    *_, held, _ = trained(tmp_path / "held", asked, stream=False)
    *_, streamed, _ = trained(tmp_path / "streamed", asked, stream=True)
    plain = trained(tmp_path / "plain", spec(None), stream=True)[2]
    assert streamed.predictions_sha256 == held.predictions_sha256 != plain.predictions_sha256


def test_nothing_of_the_test_split_is_resized_or_cached_before_its_lock_opens(
    tmp_path: Path, trained: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("BENCH_CACHE", str(cache))
    counted: list[int] = []
    plain = LockedSplit.open

    def counting(self: LockedSplit, selection: Any) -> Any:
        counted.append(len(list(cache.glob("*.npy"))))
        return plain(self, selection)

    monkeypatch.setattr(LockedSplit, "open", counting)
    _, _, first, _ = trained(tmp_path / "first", spec(None), stream=False)
    assert counted == [2]  # train and val
    kept = {path: path.stat().st_ino for path in cache.glob("*.npy")}
    assert len(kept) == 3
    _, _, second, _ = trained(tmp_path / "second", spec(None), stream=False)
    assert {path: path.stat().st_ino for path in cache.glob("*.npy")} == kept
    assert second.predictions_sha256 == first.predictions_sha256
