"""The roster tells the truth about its models, and the loader refuses what it cannot use."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import timm
import torch

import baselines  # noqa: F401  (registers the models)
from baselines.roster import Entry, load

ROSTER = load()
OWN = "medspectralnet"  # in the file for its published name; built and tested in its own package
MODELS = [entry for name, entry in ROSTER.items() if name != OWN]


def trains_at(entry: Entry, side: int) -> bool:
    """Whether a step of training with two images of ``side`` px works."""
    size = {"img_size": side} if entry.takes_img_size else {}
    try:
        torch.manual_seed(0)
        model = timm.create_model(entry.name, num_classes=3, **size).train()
        logits = model(torch.randn(2, 3, side, side))
        logits.sum().backward()
    except (AssertionError, RuntimeError, ValueError, ZeroDivisionError):
        return False
    return logits.shape == (2, 3) and bool(logits.isfinite().all())


def test_every_model_asked_for_is_there() -> None:
    assert len(MODELS) == 19
    assert {entry.family for entry in MODELS} == {"cnn", "transformer", "hybrid", "ssm"}
    assert all(timm.is_model(entry.name) for entry in MODELS)


@pytest.mark.parametrize("entry", MODELS, ids=lambda entry: entry.name)
@pytest.mark.filterwarnings("ignore")  # timm's models have their own
def test_the_smallest_size_trains_and_none_below(entry: Entry) -> None:
    assert trains_at(entry, entry.min_image_size)
    if entry.min_image_size > 1:
        assert not trains_at(entry, entry.min_image_size - 1)


@pytest.mark.parametrize(
    "entry", [entry for entry in MODELS if entry.takes_img_size], ids=lambda entry: entry.name
)
def test_img_size_is_needed_where_the_roster_says_so(entry: Entry) -> None:
    assert not trains_at(dataclasses.replace(entry, takes_img_size=False), 64)


def test_published_names_stand_for_one_architecture_each() -> None:
    owners = {name: entry.name for entry in ROSTER.values() for name in entry.published}
    assert owners["ResNet-18 (28)"] == "resnet18_cifar"
    assert owners["ResNet-18 (224)"] == "resnet18"
    assert owners["MedMamba-T"] == "medmamba_tiny"
    assert owners["MedSpectralNet"] == OWN
    assert "ResNet-50 (28)" not in owners


def test_resnet18_cifar_is_the_benchmarks() -> None:
    model = timm.create_model("resnet18_cifar", num_classes=10)
    assert sum(p.numel() for p in model.parameters()) == 11_173_962
    stem = model.conv1
    assert (stem.kernel_size, stem.stride, stem.padding) == ((3, 3), (1, 1), (1, 1))
    assert model.forward_features(torch.zeros(1, 3, 28, 28)).shape == (1, 512, 4, 4)
    model.reset_classifier(4)
    assert model(torch.zeros(1, 3, 28, 28)).shape == (1, 4)
    with pytest.raises(ValueError, match="pools by 'avg' alone"):
        model.reset_classifier(4, global_pool="max")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("family = 'rnn'\nmin_image_size = 1", r"net\.family: must be one of cnn, .* got 'rnn'"),
        ("family = 'cnn'", r"net\.min_image_size: missing"),
        ("family = 'cnn'\nmin_image_size = 0", r"net\.min_image_size: must be a positive integer"),
        ("family = 'cnn'\nmin_image_size = true", r"net\.min_image_size: must be a positive"),
        ("family = 'cnn'\nmin_image_size = 1\nsize = 3", r"net\.size: unknown key"),
        ("family = 'cnn'\nmin_image_size = 1\nnote = 3", r"net\.note: must be a text, got 3"),
        ("family = 'cnn'\nmin_image_size = 1\ntakes_img_size = 1", "must be true or false"),
        ("family = 'cnn'\nmin_image_size = 1\npublished = 'A'", "must be a list of names"),
        (
            "family = 'cnn'\nmin_image_size = 1\npublished = ['A']\n"
            "[other]\nfamily = 'cnn'\nmin_image_size = 1\npublished = ['A']",
            r"other\.published: 'A' is claimed by 'net' already",
        ),
    ],
)
def test_a_bad_key_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "roster.toml"
    path.write_text(f"[net]\n{line}\n")
    with pytest.raises(ValueError, match=message):
        load(path)


def test_a_bare_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "roster.toml"
    path.write_text("net = 3\n")
    with pytest.raises(ValueError, match="net: must be a table, got 3"):
        load(path)
