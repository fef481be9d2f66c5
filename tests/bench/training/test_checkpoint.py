"""A training interrupted anywhere and continued gives the bits of the undisturbed one."""

from __future__ import annotations

import hashlib
import io
import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.errors import RunFailed
from bench.training.checkpoint import CheckpointFile, State
from bench.training.generators import global_states, restore_global_states
from bench.training.loop import Progress, Trainer, fit
from bench.training.selection import Selection
from tests.bench.training.test_loop import network, resident, setting

CPU = torch.device("cpu")


class Stop(BaseException):
    """Stands for a kill: nothing in the loop catches it."""


class Draws(nn.Module):
    """A network that draws from every global generator while it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.body = network()

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            images = images + random.random() * 0.1 + np.random.rand() * 0.1  # noqa: NPY002
        out: Tensor = self.body(images)
        return out


def checkpoints(path: Path, identity: str = "this run", every_s: float = 0.0) -> CheckpointFile:
    return CheckpointFile(path / "run.pt", identity, every_s)


def trained(
    path: Path | None, stop_at: int | None = None, model: nn.Module | None = None, **changes: Any
) -> Selection:
    """Until the end, or until a kill after so many updates."""
    seen = 0

    def on_progress(progress: Progress) -> None:
        nonlocal seen
        seen += progress.last_epoch is None
        if stop_at is not None and seen > stop_at:
            raise Stop

    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    kept = checkpoints(path) if path else None
    options = {"epochs": 3, "ema_decay": 0.9, "clip_grad_norm": 1.0} | changes
    return fit(
        model or Draws(), resident("train"), resident("val"), setting(**options), on_progress, kept
    )


def assert_same(one: Selection, other: Selection) -> None:
    for name, weight in one.model.state_dict().items():
        assert torch.equal(weight, other.model.state_dict()[name]), name
    np.testing.assert_array_equal(one.val_logits, other.val_logits)
    assert one.epoch == other.epoch
    for a, b in zip(one.epochs, other.epochs, strict=True):
        assert a.model_copy(update={"seconds": 0}) == b.model_copy(update={"seconds": 0})


@pytest.mark.parametrize("stop_at", range(12))  # four updates an epoch, three epochs
def test_a_kill_after_any_update_changes_no_bit(tmp_path: Path, stop_at: int) -> None:
    whole = trained(None)
    with pytest.raises(Stop):
        trained(tmp_path, stop_at)
    assert_same(whole, trained(tmp_path))


def test_many_kills_change_no_bit_and_are_counted(tmp_path: Path) -> None:
    whole = trained(None)
    for stop_at in (2, 3, 1, 4):
        with pytest.raises(Stop):
            trained(tmp_path, stop_at)
    assert_same(whole, trained(tmp_path))
    last = checkpoints(tmp_path)
    assert last.load() is not None
    assert len(last.resumed_at) == 5
    assert last.resumed_at == sorted(last.resumed_at)


@pytest.mark.parametrize("changes", [{"least_updates": 30}, {"sampling": "balanced"}])
@pytest.mark.parametrize("stop_at", [3, 6, 9])
def test_a_kill_in_longer_epochs_and_balanced_draws_changes_no_bit(
    tmp_path: Path, changes: dict[str, Any], stop_at: int
) -> None:
    with pytest.raises(Stop):
        trained(tmp_path, stop_at, **changes)
    assert_same(trained(None, **changes), trained(tmp_path, **changes))


def test_a_kill_in_accumulated_updates_changes_no_bit(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        trained(tmp_path, 3, accumulate=2)
    assert_same(trained(None, accumulate=2), trained(tmp_path, accumulate=2))


@pytest.mark.parametrize(
    "what", ["order", "augmentation", "optimizer", "ema", "global", "loss_sum", "model"]
)
def test_nothing_that_is_kept_could_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The planted fault: a part of the state is that of another training."""
    with pytest.raises(Stop):
        trained(tmp_path, 7)
    other_setting = setting(seed=5, epochs=3, ema_decay=0.9)
    fresh = Trainer(Draws(), resident("train"), resident("val"), other_setting)
    random.seed(77)
    np.random.seed(77)  # noqa: NPY002
    other = fresh.state()
    restore = Trainer.restore

    def forgetful(self: Trainer, state: State) -> None:
        restore(self, state | {what: other[what]})

    monkeypatch.setattr(Trainer, "restore", forgetful)
    whole = trained(None)
    with pytest.raises((AssertionError, RunFailed)):
        assert_same(whole, trained(tmp_path))


def test_the_best_weights_so_far_are_kept() -> None:
    done = Trainer(network(), resident("train"), resident("val"), setting(epochs=2))
    done.run()
    again = Trainer(network(1), resident("train"), resident("val"), setting(epochs=2))
    again.restore(done.state())
    assert again.best.epoch == done.best.epoch
    assert again.best.scores == done.best.scores
    for name, weight in done.best.weights.items():
        assert torch.equal(weight, again.best.weights[name])


def test_without_a_checkpoint_a_run_begins_at_the_start(tmp_path: Path) -> None:
    file = checkpoints(tmp_path)
    assert file.load() is None
    assert file.resumed_at == []


def _saved(tmp_path: Path) -> CheckpointFile:
    file = checkpoints(tmp_path)
    file.save({"weights": torch.arange(1000.0), "words": ["a", (1, 2)]}, updates=7)
    return file


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    _saved(tmp_path)
    again = checkpoints(tmp_path)
    state = again.load()
    assert state is not None
    assert torch.equal(state["weights"], torch.arange(1000.0))
    assert state["words"] == ["a", (1, 2)]
    assert again.resumed_at == [7]
    assert again.earlier_s > 0


@pytest.mark.parametrize("damage", ["cut in half", "one bit", "empty"])
def test_a_damaged_checkpoint_is_named_and_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = _saved(tmp_path).path
    content = bytearray(path.read_bytes())
    if damage == "one bit":
        content[len(content) // 2] ^= 1
    path.write_bytes(content[: {"cut in half": len(content) // 2, "empty": 0}.get(damage)])
    with caplog.at_level(logging.WARNING):
        assert checkpoints(tmp_path).load() is None
    assert "damaged checkpoint" in caplog.text
    assert str(path) in caplog.text


def test_whole_content_that_is_no_checkpoint_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = io.BytesIO()
    torch.save([1, 2], buffer)
    content = buffer.getvalue()
    (tmp_path / "run.pt").write_bytes(hashlib.sha256(content).digest() + content)
    assert checkpoints(tmp_path).load() is None
    assert "its content is not a checkpoint's" in caplog.text


def test_a_folder_in_its_place_is_named_and_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run.pt" / "inside").mkdir(parents=True)
    kept = checkpoints(tmp_path)
    assert kept.load() is None
    assert caplog.text.count(str(tmp_path)) == 1
    kept.discard()
    assert "remove it" in caplog.text
    assert (tmp_path / "run.pt" / "inside").is_dir()


def test_a_checkpoint_of_other_code_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _saved(tmp_path)
    assert checkpoints(tmp_path, identity="other code").load() is None
    assert "other code" in caplog.text


def test_training_goes_on_where_no_checkpoint_can_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run.pt").mkdir()  # a folder in its place: rename fails
    (tmp_path / "run.pt" / "x").touch()
    file = checkpoints(tmp_path)
    file.save({}, 1)
    file.save({}, 2)
    assert caplog.text.count("no checkpoint can be written") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_what_a_kill_left_while_writing_is_swept(tmp_path: Path) -> None:
    file = _saved(tmp_path)
    (tmp_path / ".run.pt.half").write_bytes(b"half")
    assert checkpoints(tmp_path).load() is not None
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]
    (tmp_path / ".run.pt.half").write_bytes(b"half")
    file.discard()
    assert not list(tmp_path.iterdir())


def test_it_is_due_after_its_seconds(tmp_path: Path) -> None:
    assert checkpoints(tmp_path, every_s=0.0).due()
    waits = checkpoints(tmp_path, every_s=1000.0)
    assert not waits.due()
    waits.save({}, 1)
    assert not waits.due()


def test_every_global_generator_goes_on_where_it_stood() -> None:
    states = global_states(CPU)

    def drawn() -> list[float]:
        return [random.random(), np.random.rand(), float(torch.rand(()))]  # noqa: NPY002

    first = drawn()
    restore_global_states(states, CPU)
    assert drawn() == first
