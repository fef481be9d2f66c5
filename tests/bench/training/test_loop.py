"""Training: the same bits each time, paired data order, selection on validation alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.data.dataset import LockedSplit, Split
from bench.data.feed import Resident, batches, make_resident
from bench.errors import RunFailed, TestSplitLocked
from bench.specs import Optimizer, Schedule
from bench.training.length import updates_per_pass
from bench.training.loop import Setting, fit, shuffled_labels
from bench.training.seeds import SeedStreams
from bench.training.selection import Selection
from tests._helpers.specs import protocol

NAMES = ("dark", "bright")


FITTING = {
    "optimizer": Optimizer(name="adamw", lr=1e-2, weight_decay=0.05),
    "schedule": Schedule(name="cosine", warmup_epochs=0.5),
}


def setting(seed: int = 0, **changes: Any) -> Setting:
    return Setting(
        task="binary-class",
        class_names=NAMES,
        protocol=protocol(**(FITTING | changes)),
        seeds=SeedStreams.of(seed),
        channels=1,
        precision="float32",
        augmentations={"horizontal_flip": 0.5},
    )


def split(name: str, count: int = 33, seed: int = 0) -> Split:
    """Dark and bright noise: a task that one convolution learns."""
    rng = np.random.default_rng([seed, len(name)])
    labels = np.arange(count) % 2
    images = rng.normal(100 + 40 * labels[:, None, None, None], 30, size=(count, 8, 8, 1))
    return Split(name, images.clip(0, 255).astype(np.uint8), labels.astype(np.int64))


def resident(name: str, count: int = 33) -> Resident:
    return make_resident(
        split(name, count), image_size=8, channels=1, control=None, device=torch.device("cpu")
    )


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(),
        nn.Linear(144, 2),
    )  # fmt: skip


def trained(seed: int = 0, **changes: Any) -> Selection:
    return fit(network(), resident("train"), resident("val"), setting(seed, **changes))


def test_the_same_run_gives_the_same_bits_and_leaves_the_global_generator_alone() -> None:
    one = trained()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    other = fit(network(), resident("train"), resident("val"), setting())
    torch.manual_seed(99)  # network() seeded it; fit itself must not
    assert torch.equal(before, torch.get_rng_state())
    for name, weight in one.model.state_dict().items():
        assert torch.equal(weight, other.model.state_dict()[name]), name
    np.testing.assert_array_equal(one.val_logits, other.val_logits)


def test_fit_draws_nothing_from_the_global_generator() -> None:
    model = network()
    before = torch.get_rng_state()
    fit(model, resident("train"), resident("val"), setting())
    assert torch.equal(before, torch.get_rng_state())


def test_another_seed_gives_another_training() -> None:
    assert not np.array_equal(trained(0).val_logits, trained(1).val_logits)


class Recorder(nn.Module):
    """Keeps what it was fed in training, and has as many weights as it is told."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(64, width), nn.Dropout(0.5), nn.Linear(width, 2)
        )

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.seen.append(images.detach().clone())
        out: Tensor = self.body(images)
        return out


def test_two_models_with_one_seed_see_the_same_images_in_the_same_order() -> None:
    narrow, wide = Recorder(2), Recorder(50)
    for model in (narrow, wide):
        fit(model, resident("train"), resident("val"), setting())
    assert len(narrow.seen) == len(wide.seen) > 0
    assert all(torch.equal(a, b) for a, b in zip(narrow.seen, wide.seen, strict=True))


def test_the_chosen_weights_are_those_of_the_best_validation_epoch() -> None:
    selection = trained(epochs=6)
    values = [epoch.val_auc for epoch in selection.epochs]
    best = max(value for value in values if value is not None)
    assert selection.epoch == values.index(best) + 1  # of equals the first
    assert selection.val_scores.auc_present == best


@pytest.mark.parametrize("select", ["acc", "loss", "last"])
def test_each_criterion_chooses_by_its_own_value(select: str) -> None:
    selection = trained(epochs=5, select=select)
    worth = {
        "acc": [epoch.val_acc for epoch in selection.epochs],
        "loss": [-epoch.val_loss for epoch in selection.epochs],
        "last": [float(epoch.epoch) for epoch in selection.epochs],
    }[select]
    assert selection.epoch == worth.index(max(worth)) + 1


def test_it_learns_and_shuffled_labels_do_not() -> None:
    train, val = resident("train", 128), resident("val", 64)
    learnt = fit(network(), train, val, setting(epochs=5))
    assert learnt.val_scores.acc > 0.9
    lost = fit(network(), shuffled_labels(train, 1), val, setting(epochs=5, select="last"))
    assert lost.val_scores.acc < 0.75  # of 64 images, 0.5 ± 0.13 by chance


def test_a_loss_that_is_not_a_number_fails_the_run_with_the_epoch() -> None:
    optimizer = Optimizer(name="sgd", lr=10.0)
    bad = network()
    with torch.no_grad():
        next(bad.parameters()).fill_(float("nan"))
    with pytest.raises(RunFailed, match="loss became nan in epoch 1"):
        fit(bad, resident("train"), resident("val"), setting(optimizer=optimizer))


def test_validation_of_one_class_cannot_choose_by_auc() -> None:
    one_class = resident("val")
    one_class.labels.fill_(1)
    with pytest.raises(RunFailed, match="select on acc or loss"):
        fit(network(), resident("train"), one_class, setting())


def test_moving_average_is_what_is_validated_and_kept() -> None:
    selection = trained(ema_decay=0.9, select="last")
    plain = trained(select="last")
    assert not np.array_equal(selection.val_logits, plain.val_logits)


def test_the_first_rate_is_warmed_up_and_the_last_is_near_zero() -> None:
    selection = trained(epochs=4)
    rates = [epoch.lr for epoch in selection.epochs]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.05 * rates[0]


def test_milestones_divide_the_rate_after_their_epoch() -> None:
    schedule = Schedule(name="multistep", milestones=[2, 3], gamma=0.1)
    rates = [epoch.lr for epoch in trained(epochs=4, schedule=schedule).epochs]
    # the rate recorded is the one after the epoch's last update: that of the next epoch
    assert rates == pytest.approx([1e-2, 1e-3, 1e-4, 1e-4])


def test_a_training_too_short_repeats_its_passes_and_validates_as_often() -> None:
    asked: dict[str, Any] = {
        "epochs": 4,
        "schedule": Schedule(name="multistep", milestones=[2], gamma=0.1),
    }
    short, long = Recorder(2), Recorder(2)
    plain = fit(short, resident("train"), resident("val"), setting(**asked))
    raised = fit(long, resident("train"), resident("val"), setting(**asked, least_updates=33))
    assert len(short.seen) == 16  # 33 images by 8, the single last one left out
    assert len(long.seen) == 48
    assert len(plain.epochs) == len(raised.epochs) == 4
    assert [e.lr for e in raised.epochs] == pytest.approx([e.lr for e in plain.epochs])


@pytest.mark.parametrize("count", [2, 7, 8, 9, 16, 17, 33])
def test_updates_are_counted_as_batches_are_made(count: int) -> None:
    order = torch.Generator().manual_seed(0)
    made = [
        len(labels) for _, labels in batches(resident("train", count), 8, channels=1, order=order)
    ]
    assert len(made) == updates_per_pass(count, 8)
    assert min(made) > 1  # batch normalisation cannot train on one image


def test_evaluation_batches_keep_order_and_every_image() -> None:
    val = resident("val", 17)
    labels = torch.cat([labels for _, labels in batches(val, 8, channels=1)])
    assert torch.equal(labels, val.labels)


def test_training_code_that_looks_at_the_test_split_is_stopped() -> None:
    """Selection on test, as some published scripts do it, planted here."""
    test = LockedSplit(split("test"))

    def train_and_peek() -> float:
        best = 0.0
        for _ in range(3):
            best = max(best, float(np.mean(test.labels)))  # type: ignore[call-overload]
        return best

    with pytest.raises(TestSplitLocked, match="locked until selection is over"):
        train_and_peek()
    with pytest.raises(TestSplitLocked, match="before selection was over"):
        test.open(object())  # type: ignore[arg-type]
    assert test.opened_at is None


def test_a_finished_selection_opens_the_test_split_once() -> None:
    test, selection = LockedSplit(split("test")), trained()
    assert len(test) == 33
    assert test.open(selection).name == "test"
    assert test.opened_at is not None
    with pytest.raises(TestSplitLocked, match="opened before"):
        test.open(selection)
    assert test.locked_again().opened_at is None


@pytest.mark.slow
def test_compiled_passes_train_too() -> None:
    """Dropout draws other numbers in a compiled pass, so only the outcome is alike."""
    kept = dataclasses.replace(setting(epochs=3), compiled="default")
    torch._dynamo.utils.counters.clear()
    compiled = fit(network(), resident("train"), resident("val"), kept)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0  # it was compiled
    aucs = [selection.epochs[-1].val_auc for selection in (compiled, trained(epochs=3))]
    assert aucs[0] == pytest.approx(aucs[1], abs=0.1)
