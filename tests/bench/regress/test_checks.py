"""Every named check passes on this checkout, and finds the fault it is named for, planted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor

import bench.data.feed
import bench.data.preparation
import bench.run.experiment
import bench.training.loop
import bench.training.selection
import medspectralnet.gate
import medspectralnet.layers
from bench.errors import InputError
from bench.evaluation.scores import score
from bench.regress.faults import FAULTS, plant
from bench.regress.file import GATE, GateFile
from bench.regress.probes import checks, exact, files, training
from bench.specs import Task
from bench.toml_file import ROOT, read_toml

FILE = read_toml(GATE, GateFile)
assert FILE.checks is not None
REQUEST: dict[str, Any] = FILE.checks.model_dump(mode="json") | {
    "threads": 1,
    "packages": FILE.packages,
}


def faulty(answer: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["detail"] for one in answer["checks"] if one["passed"] is False}


def test_a_sound_training_passes() -> None:
    answer = checks.look(REQUEST)
    assert not faulty(answer)
    assert len(answer["checks"]) == 3
    gates = next(one for one in answer["checks"] if one["name"].startswith("gradient"))
    assert gates["detail"] == "6 × gate, 5 × global_stream, 5 × local_stream"


@pytest.mark.parametrize(
    ("task", "classes"),
    [("binary-class", 2), ("multi-class", 5), ("multi-label, binary-class", 4)],
)
def test_the_gates_own_scores_are_those_of_sound_code(task: Task, classes: int) -> None:
    rng = np.random.default_rng(0)
    many = task.startswith("multi-label")
    labels = rng.integers(0, 2, (60, classes)) if many else rng.integers(0, classes, 60)
    if task == "multi-class":
        labels[labels == 3] = 2  # a class without images counts in no mean
    logits = rng.normal(size=(60, classes))
    told = score(logits, labels, task, tuple("abcde"[:classes]))
    assert training.scored(logits, labels, task) == pytest.approx((told.auc_present, told.acc))


def test_weights_that_a_backward_pass_does_not_reach_are_counted() -> None:
    images = torch.randn(2, 3, 32, 32)
    model = timm.create_model("test_medspectralnet", num_classes=4)
    before = exact.unreached(model, images, 4)
    model.head.fc.bias.requires_grad_(False)
    model.spare = torch.nn.Parameter(torch.zeros(1))
    assert exact.unreached(model, images, 4) == before + 2


def test_a_gate_without_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = medspectralnet.gate.ContextGate.weights
    monkeypatch.setattr(
        medspectralnet.gate.ContextGate, "weights", lambda self, maps: weights(self, maps).detach()
    )
    found = faulty(checks.look(REQUEST))
    assert "gate" in found["gradient reaches every part"]
    assert "every parameter moves in training" in found


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_a_learning_rate_that_is_not_the_protocols_is_found(
    monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    from bench.training.optimization import make_optimizer as make

    def other(model: Any, protocol: Any) -> Any:
        chosen = protocol.optimizer.model_copy(update={"lr": factor * protocol.optimizer.lr})
        return make(model, protocol.model_copy(update={"optimizer": chosen}))

    monkeypatch.setattr(bench.training.loop, "make_optimizer", other)
    # the schedule sets the rate anew from the optimizer's own
    assert "learning rate as the protocol says" in faulty(checks.look(REQUEST))


@pytest.mark.parametrize("decays", [True, False])
def test_a_rate_that_is_wrong_for_a_part_of_the_weights_is_found(
    monkeypatch: pytest.MonkeyPatch, decays: bool
) -> None:
    """By the code's own word the rate may be scaled: it is not asked."""
    update = bench.training.loop.Trainer.update

    def less(self: Any, images: Tensor, labels: Tensor) -> Tensor:
        found = [g for g in self.optimizer.param_groups if bool(g["weight_decay"]) == decays]
        assert len(found) == 1
        found[0]["lr"] /= 10  # the schedule sets it anew after the update
        return update(self, images, labels)

    def scaled(self: Any, images: Tensor, labels: Tensor) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"], group["lr_scale"] = group["lr"] / 10, 0.1
        return update(self, images, labels)

    monkeypatch.setattr(bench.training.loop.Trainer, "update", less)
    found = faulty(checks.look(REQUEST))
    what = "a weight of a matrix" if decays else "a bias or a norm's"
    assert f"the first update moves {what}" in found["learning rate as the protocol says"]
    assert list(found) == ["learning rate as the protocol says"]  # the training went on
    monkeypatch.setattr(bench.training.loop.Trainer, "update", scaled)
    assert "learning rate as the protocol says" in faulty(checks.look(REQUEST))


def test_steps_larger_than_the_rate_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    update = bench.training.loop.Trainer.update

    def twice(self: Any, images: Tensor, labels: Tensor) -> Tensor:
        before = [p.detach().clone() for p in self.model.parameters()]
        loss = update(self, images, labels)
        with torch.no_grad():
            for weight, was in zip(self.model.parameters(), before, strict=True):
                weight.add_(9 * (weight - was))
        return loss

    monkeypatch.setattr(bench.training.loop.Trainer, "update", twice)
    found = faulty(checks.look(REQUEST))
    assert "the first update moves" in found["learning rate as the protocol says"]


@pytest.mark.real_data
def test_data_fed_and_predicted_are_the_files(
    medmnist_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = files.look(REQUEST)
    assert not faulty(answer)
    assert len(answer["checks"]) == 6


@pytest.mark.real_data
def test_a_choice_of_the_wrong_epoch_is_found(
    medmnist_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault() -> dict[str, str]:
        return faulty(files.look(REQUEST))

    best = bench.training.selection.BestSoFar
    with monkeypatch.context() as planted:
        planted.setattr(bench.training.selection, "_worth", lambda criterion, epoch, scores: epoch)
        assert "AUC on validation by epoch" in fault()["the best epoch on validation is kept"]
    with monkeypatch.context() as planted:
        offer = best.offer

        def uncopied(self: Any, epoch: int, model: Any, logits: Any, scores: Any) -> bool:
            taken = offer(self, epoch, model, logits, scores)
            self.weights = model.state_dict()
            return taken

        planted.setattr(best, "offer", uncopied)
        assert "stored for val" in fault()["predictions are of the test split"]
    with monkeypatch.context() as planted:
        planted.setattr(files, "SEEDS", 1)
        request = REQUEST | {"choosing": REQUEST["choosing"] | {"epochs": 1}}
        (untold,) = [c for c in files.look(request)["checks"] if c["name"].startswith("the best")]
        assert untold["passed"] is None
        assert "the first or the last epoch was the best" in untold["detail"]


@pytest.mark.real_data
def test_a_resize_without_a_filter_is_found(
    medmnist_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.data import catalog
    from bench.regress.probes.checking import outcome
    from bench.specs import DatasetSpec

    found = files.OfFile(REQUEST, catalog.load(DatasetSpec(name="breastmnist"), 28))
    assert outcome("resized", found.resized_as_documented)["passed"]

    for mode in ("bilinear", "nearest"):  # the one differs where images are made smaller

        def plain(images: Tensor, size: int, mode: str = mode) -> Tensor:
            return torch.nn.functional.interpolate(images.float(), (size, size), mode=mode).byte()

        monkeypatch.setattr(bench.data.preparation, "resize", plain)
        assert "levels from the file's" in outcome("resized", found.resized_as_documented)["detail"]


@pytest.mark.real_data
def test_faults_of_the_data_are_found_by_name(
    medmnist_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only(*names: str) -> dict[str, str]:
        """The cheap checks, which need no training."""
        from bench.data import catalog
        from bench.regress.probes.checking import outcome
        from bench.specs import DatasetSpec

        dataset = catalog.load(DatasetSpec(name="breastmnist"), 28)
        found = files.OfFile(REQUEST, dataset)
        return faulty({"checks": [outcome(name, getattr(found, name)) for name in names]})

    sound = bench.data.feed.batches
    with monkeypatch.context() as planted:

        def shifted(*args: Any, **kwargs: Any) -> Any:
            return ((images, labels.roll(1, 0)) for images, labels in sound(*args, **kwargs))

        planted.setattr(bench.data.feed, "batches", shifted)
        found = only("images_and_labels", "fed_as_documented")
        assert list(found) == ["images_and_labels"]
    with monkeypatch.context() as planted:
        feed = bench.run.experiment._feed

        def other(spec: Any, dataset: Any, split: Any, options: Any) -> Any:
            return feed(spec, dataset, dataset.train if split.name == "val" else split, options)

        planted.setattr(bench.run.experiment, "_feed", other)
        assert "val: " in only("images_and_labels")["images_and_labels"]
    with monkeypatch.context() as planted:
        planted.setattr(bench.data.feed, "normalise", lambda images, channels, out: images.float())
        assert "fed_as_documented" in only("fed_as_documented")
    with monkeypatch.context() as planted:
        planted.setattr(files, "published_md5", lambda flag: "0")
        assert "file_is_the_published_one" in only("file_is_the_published_one")


def numbers() -> dict[str, Any]:
    request = {"image_size": 32, "channels": 1, "num_classes": 2, "batch_size": 2}
    return exact.numbers("test_medspectralnet", request)


def test_a_dropped_normalisation_shows_in_what_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    before = numbers()
    assert numbers() == before  # the same bits and counts every time
    conv_norm = medspectralnet.layers.ConvNorm
    monkeypatch.setattr(conv_norm, "forward", lambda self, x: self.act(self.conv(x)))
    after = numbers()
    assert after["norm_operators"] == 0 < before["norm_operators"]
    assert after["params_total"] == before["params_total"]


def test_activation_bytes_of_a_known_network() -> None:
    """A linear layer keeps its input for the weight's gradient: 2 × 3 floats."""
    layer = torch.nn.Linear(3, 5, bias=False)
    assert exact.activation_bytes(layer, torch.randn(2, 3)) == 2 * 3 * 4
    two = torch.nn.Sequential(layer, torch.nn.ReLU())
    assert exact.activation_bytes(two, torch.randn(2, 3)) == 2 * 3 * 4 + 2 * 5 * 4


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_still_fits_the_source(fault: Any, tmp_path: Path) -> None:
    path = tmp_path / fault.file
    path.parent.mkdir(parents=True)
    source = (ROOT / fault.file).read_text()
    path.write_text(source)
    plant(fault, tmp_path, more_macs=7, more_bytes=8)
    planted = path.read_text()
    assert planted != source
    compile(planted, fault.file, "exec")
    assert "{" + "more" not in planted
    if fault.old and planted.count(fault.old) != 1:
        path.write_text(planted)
        with pytest.raises(InputError, match="no longer fits"):
            plant(fault, tmp_path)


def test_small_first_gradients_are_no_fault_of_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of a residual branch that begins at zero: most of its first gradients are."""

    update = bench.training.loop.Trainer.update
    updates = iter([0])

    def still_at_first(self: Any, images: Tensor, labels: Tensor) -> Tensor:
        before = [p.detach().clone() for p in self.model.parameters()]
        loss = update(self, images, labels)
        if next(updates, None) == 0:
            with torch.no_grad():
                for weight, was in zip(self.model.parameters(), before, strict=True):
                    weight.copy_(was)
        return loss

    monkeypatch.setattr(bench.training.loop.Trainer, "update", still_at_first)
    assert not faulty(checks.look(REQUEST))
    updates = iter([0])
    assert not faulty(checks.look(REQUEST | {"packages": ["mine"], "parts": []}))


def test_data_that_cannot_be_had_is_said_to_be_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path / "none"))
    unavailable = {"dataset": {"name": "bloodmnist"}, "source_size": 28}
    answer = checks.look(REQUEST | unavailable)
    assert not answer["checks"]
    assert "none" in answer["unavailable"]
