"""Weights are a record's own or none; what they say of images is what the record said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from bench.data import catalog
from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.records.schema import Record
from bench.release.choosing import pick_best
from bench.release.classifying import Classifier, fed_pixels, restored
from bench.release.exporting import export_onnx, keep_if_equal
from bench.release.file import Weights, read_weights, write_weights
from bench.release.metadata import KEY
from bench.release.remaking import make_again
from bench.specs import DatasetSpec
from bench.staleness import ALL_STALE
from tests._helpers.released import Released


@pytest.fixture(scope="module")
def classifier(released: Released) -> Classifier:
    return restored(released.read)


@pytest.fixture(scope="module")
def dataset(released: Released) -> Dataset:
    said = {"name": "phantom-joint", **released.read.metadata.data_described}
    return catalog.load(DatasetSpec.model_validate(said), 28)


def predicted(
    released: Released, capsys: pytest.CaptureFixture[str], *images: str | Path
) -> dict[str, Any]:
    capsys.readouterr()
    released.call("predict", "--weights", released.weights, "--json", *images)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_the_weights_give_the_records_own_predictions(
    released: Released, classifier: Classifier, dataset: Dataset
) -> None:
    stored = released.store.load_predictions(released.record.id)["val_logits"]
    images = fed_pixels(torch.from_numpy(dataset.val.images), classifier.metadata)
    assert (classifier.logits(images).astype(np.float16) == stored).all()


def test_timm_loads_them_by_the_line_on_the_card(
    released: Released, classifier: Classifier
) -> None:
    model = timm.create_model(
        "test_medspectralnet", num_classes=4, in_chans=1, checkpoint_path=str(released.weights)
    ).eval()
    images = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(model(images), torch.from_numpy(classifier.logits(images)))
    card = released.weights.with_suffix(".md").read_text()
    line = 'timm.create_model("test_medspectralnet",num_classes=4,in_chans=1,checkpoint_path="'
    assert line in "".join(card.split())


def test_an_older_file_is_written_anew_and_not_trained_again(
    released: Released, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = released.read
    older = read.metadata.calibration.model_copy(update={"effects": []})
    metadata = read.metadata.model_copy(update={"calibration": older})
    path = tmp_path / released.weights.name
    write_weights(Weights(metadata, read.state), path)
    released.call("weights", released.suite, "--output", tmp_path)
    assert "copied from another file" in capsys.readouterr().out
    assert read_weights(path).metadata.calibration == read.metadata.calibration


def test_a_data_set_without_a_training_costs_the_others_nothing(
    released: Released, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = released.root / "more.toml"
    grid = '[[grid]]\nmodels = ["medspectralnet"]\ndatasets = ["phantom-local"]\nseeds = [0]\n'
    options = "[dataset.phantom-local]\noptions = { n_train = 32, n_val = 32, n_test = 32 }\n"
    more.write_text(f"{released.suite.read_text()}\n{grid}\n{options}")
    assert released.call("weights", more, "--output", tmp_path) == 1
    assert "no finished training of medspectralnet on phantom-local" in capsys.readouterr().err
    assert (tmp_path / released.weights.name).is_file()
    assert (tmp_path / "SHA256SUMS").is_file()


def test_a_named_seed_without_a_training_is_told(
    released: Released, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = released.root / "more-seeds.toml"
    more.write_text(released.suite.read_text().replace("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    only = ("--only", "seed=2,seed=0", "--output", tmp_path, "--dry-run")
    assert released.call("weights", more, *only) == 1
    said = capsys.readouterr()
    assert "medspectralnet on phantom-joint with seed 2" in said.err
    assert "seed 0 was asked for by name" in said.out


def test_a_file_that_is_there_is_not_made_again(
    released: Released, capsys: pytest.CaptureFixture[str]
) -> None:
    before = released.weights.stat().st_mtime_ns
    released.call("weights", released.suite, "--output", released.weights.parent)
    assert released.weights.stat().st_mtime_ns == before
    assert "kept" in capsys.readouterr().out


def test_best_is_the_best_on_validation_whatever_the_test_split_says(released: Released) -> None:
    training = released.record.training
    assert training is not None

    def run(seed: int, val: float, test: float) -> Record:
        result = training.model_copy(
            update={
                "val": training.val.model_copy(update={"auc_present": val}),
                "test": training.test.model_copy(update={"auc": test, "auc_present": test}),
            }
        )
        spec = released.record.spec.model_copy(update={"seed": seed})
        return released.record.model_copy(update={"spec": spec, "training": result})

    pick = pick_best([run(2, 0.9, 0.5), run(1, 0.8, 0.99), run(0, 0.9, 0.4)])
    assert pick.chosen.seed == 0  # of equals the lowest
    assert pick.chosen.of_seeds == [0, 1, 2]
    assert "validation" in pick.chosen.why
    assert "not trained" not in pick.chosen.why
    assert "not trained yet: seed 3, 4" in pick_best([run(0, 0.9, 0.5)], [0, 3, 4]).chosen.why


def changed(record: Record, **values: Any) -> Record:
    training = record.training
    assert training is not None
    return record.model_copy(update={"training": training.model_copy(update=values)})


def test_other_bits_packages_data_or_devices_are_refused(
    released: Released, dataset: Dataset
) -> None:
    record, made = released.record, released.record.provenance
    older = made.model_copy(update={"packages": made.packages | {"torch": "1.0"}})
    other_data = record.spec.model_copy(
        update={"data": record.spec.data.model_copy(update={"checksum": "sha256:0"})}  # type: ignore[union-attr]
    )
    on_gpu = record.spec.model_copy(update={"device": "cuda"})
    for planted, said in (
        (changed(record, predictions_sha256="0" * 64), "gives other bits"),
        (record.model_copy(update={"provenance": older}), "torch 1.0"),
        (record.model_copy(update={"spec": other_data}), "has changed since"),
        (record.model_copy(update={"spec": on_gpu}), "GPU"),
    ):
        with pytest.raises(InputError, match=said):
            make_again(planted, dataset, ALL_STALE)


def test_a_picture_of_the_training_size_gets_the_records_probabilities(
    released: Released, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = dataset.val.images[0, :, :, 0]
    Image.fromarray(pixels).save(tmp_path / "grey.png")
    Image.fromarray(np.stack([pixels] * 3, axis=-1)).save(tmp_path / "rgb.png")
    np.save(tmp_path / "one.npy", pixels)
    np.savez(tmp_path / "two.npz", val_images=dataset.val.images[:2], labels=np.zeros(2))
    told = predicted(
        released, capsys, tmp_path / "grey.png", tmp_path / "rgb.png", tmp_path / "one.npy",
        f"{tmp_path / 'two.npz'}:val_images",
    )  # fmt: skip
    logits = released.store.load_predictions(released.record.id)["val_logits"].astype(np.float64)
    temperature = released.read.metadata.calibration.temperature
    assert temperature is not None
    scaled = np.exp(logits / temperature)
    expected = scaled / scaled.sum(axis=1, keepdims=True)
    names = released.read.metadata.class_names
    assert len(told["images"]) == 5
    for place, row in zip((0, 0, 0, 0, 1), told["images"], strict=True):
        given = [row["probabilities"][name] for name in names]
        assert np.allclose(given, expected[place], atol=2e-3)
        assert sum(given) == pytest.approx(1)


def test_another_size_is_resized_and_said(
    released: Released, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (90, 60), "red").save(tmp_path / "big.jpg")
    capsys.readouterr()
    released.call("predict", "--weights", released.weights, tmp_path / "big.jpg")
    said = capsys.readouterr().out
    for told in ("90 × 60 px resized to 28 × 28", "squeezed", "colour dropped", "Research only"):
        assert told in said


def test_what_is_no_image_is_refused_in_a_line(released: Released, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    Image.fromarray(np.zeros((9, 9), np.uint16)).save(tmp_path / "deep.png")
    np.save(tmp_path / "float.npy", np.zeros((9, 9)))
    np.save(tmp_path / "flat.npy", np.zeros(9, np.uint8))
    np.savez(tmp_path / "many.npz", a=np.zeros((9, 9), np.uint8), b=np.zeros((9, 9), np.uint8))
    for name, said in (
        ("absent.png", "no such file"),
        ("text.png", "not a readable image"),
        ("deep.png", "not 8 bits"),
        ("float.npy", "not 8 bits"),
        ("flat.npy", "no image"),
        ("many.npz", "holds 2 arrays"),
        ("many.npz:c", "no array 'c'"),
    ):
        with pytest.raises(InputError, match=said) as refused:
            released.call("predict", "--weights", released.weights, tmp_path / name)
        assert len(str(refused.value).splitlines()) == 1


def test_a_file_of_weights_that_is_not_whole_is_refused(released: Released, tmp_path: Path) -> None:
    content = bytearray(released.weights.read_bytes())
    content[-5] ^= 1
    (tmp_path / "flipped.safetensors").write_bytes(content)
    (tmp_path / "cut.safetensors").write_bytes(content[:-99])
    save_file({"a": torch.zeros(2)}, tmp_path / "bare.safetensors")
    save_file({"a": torch.zeros(2)}, tmp_path / "odd.safetensors", metadata={KEY: '{"version": 9}'})
    read = released.read
    hotter = read.metadata.calibration.model_copy(update={"temperature": 9.0})
    retold = read.metadata.model_copy(update={"calibration": hotter})
    save_file(read.state, tmp_path / "retold.safetensors", metadata={KEY: retold.model_dump_json()})
    for name, said in (
        ("absent", "no such file"),
        ("flipped", "checksum is wrong"),
        ("retold", "checksum is wrong"),
        ("cut", "no whole safetensors"),
        ("bare", "does not say what it is"),
        ("odd", "version"),
    ):
        with pytest.raises(InputError, match=said):
            read_weights(tmp_path / f"{name}.safetensors")


def test_weights_that_name_code_or_another_network_are_refused(
    released: Released, tmp_path: Path
) -> None:
    read = released.read
    for update, said in (
        ({"timm": None, "factory": "os:system"}, "names code to be run"),
        ({"timm": "test_resnet"}, "do not fit"),
    ):
        model = read.metadata.model.model_copy(update=update)
        other = Weights(read.metadata.model_copy(update={"model": model}), read.state)
        write_weights(other, tmp_path / "other.safetensors")
        with pytest.raises(InputError, match=said):
            restored(read_weights(tmp_path / "other.safetensors"))


def test_onnx_is_written_only_if_it_agrees(classifier: Classifier, tmp_path: Path) -> None:
    """A small network: that MedSpectralNet itself can be exported is tested beside it."""
    model = torch.nn.Sequential(torch.nn.AvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(16, 4))
    small = Classifier(classifier.metadata, model.eval())
    images = torch.rand(3, 1, 32, 32)
    parity = export_onnx(small, images, tmp_path / "net.onnx")
    assert parity.images == 3
    assert parity.largest_difference <= parity.allowed

    class Wrong(Classifier):
        def logits(self, fed: torch.Tensor) -> Any:
            return super().logits(fed) + np.float32(0.01)

    content = (tmp_path / "net.onnx").read_bytes()
    with pytest.raises(InputError, match=r"differ by 0\.01"):
        keep_if_equal(Wrong(small.metadata, model), content, images, tmp_path / "wrong.onnx")
    assert not (tmp_path / "wrong.onnx").exists()
    with pytest.raises(InputError, match=r"does not end in \.onnx"):
        export_onnx(small, images, tmp_path / "net.pt")


def test_only_finished_trainings_without_a_control_are_released(
    released: Released, tmp_path: Path
) -> None:
    for only, said in (("model=small", "no finished training"), ("control=soft", "input control")):
        with pytest.raises(InputError, match=said):
            released.call("weights", released.suite, "--only", only, "--output", tmp_path)
    assert not [*tmp_path.iterdir()]
