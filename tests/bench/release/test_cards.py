"""What is said of a file of weights: its card, its checksum, what its temperature does."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bench.release.exporting import in_and_out
from bench.release.metadata import Calibration, WeightsMetadata
from bench.report.model_card import model_card
from bench.report.released import write_sums
from tests._helpers.released import Released


def test_card_and_sums_say_what_the_file_is(released: Released) -> None:
    digest = hashlib.sha256(released.weights.read_bytes()).hexdigest()
    sums = (released.weights.parent / "SHA256SUMS").read_text()
    assert sums == f"{digest}  {released.weights.name}\n"
    card = released.weights.with_suffix(".md").read_text()
    training = released.record.training
    assert training is not None
    for told in (
        digest,
        "Not a medical device",
        "synthetic data",
        f"{100 * training.test.acc:.1f}",
    ):
        assert told in card


def test_the_card_says_each_class_and_what_the_temperature_does(released: Released) -> None:
    training, effects = released.record.training, released.read.metadata.calibration.effects
    assert training is not None
    stored = released.store.load_predictions(released.record.id)
    temperature = released.read.metadata.calibration.temperature or 1.0
    assert [effect.split for effect in effects] == ["val", "test"]
    for effect in effects:
        logits = torch.from_numpy(stored[f"{effect.split}_logits"].astype(np.float64))
        labels = torch.from_numpy(stored[f"{effect.split}_labels"].astype(np.int64))
        loss = torch.nn.functional.cross_entropy(logits, labels)
        assert effect.loss == pytest.approx(float(loss), rel=1e-6)
        scaled = torch.nn.functional.cross_entropy(logits / temperature, labels)
        assert effect.loss_calibrated == pytest.approx(float(scaled), rel=1e-6)
        assert effect.images == len(labels)
    assert effects[0].loss_calibrated <= effects[0].loss  # where it was fitted
    card = released.weights.with_suffix(".md").read_text()
    better = effects[1].loss_calibrated <= effects[1].loss
    assert f"probabilities {'better' if better else '**worse**'} by cross-entropy" in card
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in card.splitlines()]
    for one in training.test.per_class:
        assert one.recall is not None
        assert [one.name, str(one.support), f"{100 * one.recall:.1f}"] in rows


def test_predict_says_what_the_temperature_does_on_test(
    released: Released, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "grey.png")
    capsys.readouterr()
    released.call("predict", "--weights", released.weights, tmp_path / "grey.png")
    _, effect = released.read.metadata.calibration.effects
    said = capsys.readouterr().out
    better = effect.loss_calibrated <= effect.loss
    assert (
        f"probabilities {'better' if better else 'worse'}: cross-entropy {effect.loss:.3f}" in said
    )
    assert f"{effect.loss_calibrated:.3f} with it" in said


def with_metadata(released: Released, **changes: Any) -> WeightsMetadata:
    return released.read.metadata.model_copy(update=changes)


def test_without_a_temperature_nothing_is_called_calibrated(released: Released) -> None:
    none = Calibration(temperature=None, note="every class has the same logit", effects=[])
    metadata = with_metadata(released, calibration=none)
    card = model_card(
        metadata, released.record, [released.record], released.store, file="f", sha256="0"
    )
    assert "Not calibrated: every class has the same logit." in card
    assert "*Calibrated*" not in card
    assert in_and_out(metadata).endswith("probabilities are the softmax of these.")


def test_the_card_of_an_official_data_set_quotes_what_its_classes_are(released: Released) -> None:
    metadata = with_metadata(released, data="retinamnist", data_described={})
    card = model_card(
        metadata, released.record, [released.record], released.store, file="f", sha256="0"
    )
    assert "5-level grading of diabetic retinopathy severity" in card
    own = released.weights.with_suffix(".md").read_text()
    assert "in MedMNIST's words" not in own


def test_what_an_exported_network_gives_is_told(released: Released) -> None:
    temperature = released.read.metadata.calibration.temperature
    assert f"the softmax of these divided by {temperature:.4f}." in in_and_out(
        released.read.metadata
    )
    many = with_metadata(released, task="multi-label, binary-class")
    assert "the sigmoid of these" in in_and_out(many)


def test_checksums_of_files_that_are_elsewhere_stay_as_long_as_their_cards(tmp_path: Path) -> None:
    (tmp_path / "b.safetensors").write_bytes(b"here")
    (tmp_path / "a.md").write_text("its weights are on another machine")
    own = hashlib.sha256(b"here").hexdigest()
    before = f"{'0' * 64}  a.safetensors\n{'1' * 64}  b.safetensors\n{'2' * 64}  c.safetensors\n"
    (tmp_path / "SHA256SUMS").write_text(before)
    assert write_sums(tmp_path).read_text() == (
        f"{'0' * 64}  a.safetensors\n{own}  b.safetensors\n"
    )
