"""The project's protocols: each can be read and used, and means what its source means."""

from __future__ import annotations

import pytest
from torchvision.transforms import RandomResizedCrop

from bench.data.augment import ASPECT
from bench.data.invariances import AUGMENTATIONS, check_strengths
from bench.specs import Protocol
from bench.toml_file import ROOT, read_toml

FOLDER = ROOT / "suites" / "protocols"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def named(name: str) -> Protocol:
    return read_toml(FOLDER / f"{name}.toml", Protocol)


@pytest.mark.parametrize("name", NAMES)
def test_every_protocol_can_be_used_at_every_size_of_medmnist(name: str) -> None:
    protocol = named(name)
    for size in (28, 224):
        check_strengths(protocol.augment, size)
    assert all(milestone < protocol.epochs for milestone in protocol.schedule.milestones)


@pytest.mark.parametrize("name", NAMES)
def test_every_protocol_stands_in_the_documents_table(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")


def test_medmambas_script_crops_and_flips_as_torchvision_does() -> None:
    protocol = named("medmamba-script")
    crop = RandomResizedCrop(224)
    assert protocol.augment == {"horizontal_flip": 0.5, "crop": pytest.approx(1 - crop.scale[0])}
    assert crop.scale[1] == 1
    assert crop.ratio == pytest.approx((1 / ASPECT, ASPECT))
    assert protocol.schedule.name == "constant"
    assert protocol.select == "acc"


def test_medmambas_paper_is_medmnists_schedule_with_adamw() -> None:
    paper, medmnist = named("medmamba-paper"), named("medmnist")
    assert paper.schedule == medmnist.schedule
    assert (paper.epochs, paper.batch_size) == (medmnist.epochs, medmnist.batch_size)
    assert paper.optimizer.name == "adamw"
    assert paper.augment == {}


def test_the_modern_one_draws_from_every_augmentation() -> None:
    modern = named("modern")
    assert set(modern.augment) == set(AUGMENTATIONS)
    assert modern.augment_count == 2
    assert modern.ema_decay is not None
    assert modern.clip_grad_norm is not None
