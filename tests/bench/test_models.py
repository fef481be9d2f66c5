"""Names to models: what is passed, what is left out, what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor, nn

from baselines import roster
from bench import models
from bench.errors import InputError
from bench.specs import ModelSpec


def _build(spec: ModelSpec, **changes: float) -> models.Built:
    torch.manual_seed(0)
    return models.build(spec, num_classes=4, in_chans=3, image_size=32, **changes)


def test_build_passes_what_the_model_takes() -> None:
    built = _build(ModelSpec(name="resnet18"), drop_path_rate=0.1, drop_rate=0.2)
    assert built.arguments == {
        "num_classes": 4,
        "in_chans": 3,
        "drop_path_rate": 0.1,
        "drop_rate": 0.2,
    }
    assert built.omitted == {}
    assert built.model.training


def test_build_names_the_protocol_argument_that_a_model_lacks() -> None:
    built = _build(ModelSpec(name="efficientvit_b1"), drop_path_rate=0.1)
    assert built.omitted == {"drop_path_rate": "the model has no such argument"}
    assert "drop_path_rate" not in built.arguments


def test_build_gives_the_image_size_to_models_with_a_fixed_grid() -> None:
    assert _build(ModelSpec(name="vit_tiny_patch16_224")).arguments["img_size"] == 32


def test_weights_depend_on_torchs_state_alone() -> None:
    """An attempt with a refused argument does not move the generator."""
    built = _build(ModelSpec(name="resnet18"), drop_path_rate=0.1).model
    torch.manual_seed(0)
    plain = timm.create_model("resnet18", num_classes=4, in_chans=3, drop_path_rate=0.1)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, built.state_dict()[name]), name


def test_check_leaves_the_random_state() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    models.check(ModelSpec(name="resnet18"), 32)
    assert torch.equal(before, torch.get_rng_state())


def test_check_output_leaves_model_and_statistics() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3 * 8 * 8), nn.Linear(3 * 8 * 8, 2))
    model[1].eval()
    models.check_output(model, name="x", num_classes=2, in_chans=3, image_size=8)
    assert (model.training, model[1].training, model[2].training) == (True, False, True)
    assert model[1].num_batches_tracked == 0


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            ModelSpec(name="resnet81"),
            ["models: unknown model 'resnet81'", "did you mean 'resnet18'"],
        ),
        (ModelSpec(name="x", factory="nowhere_at_all:make"), ["cannot import 'nowhere_at_all'"]),
        (ModelSpec(name="x", factory="torch:nonsense"), ["'torch' has no function 'nonsense'"]),
        (
            ModelSpec(name="resnet18", args={"depthh": 3}),
            ["models.args.depthh", "takes no argument 'depthh'"],
        ),
        (ModelSpec(name="resnet18", args={"layers": 3}), ["cannot be built", "{'layers': 3}"]),
        (
            ModelSpec(name="efficientvit_b1", args={"drop_path_rate": 0.1}),
            ["takes no argument 'drop_path_rate'"],
        ),
        (ModelSpec(name="medspectralnet", pretrained=True), ["has no pre-trained weights"]),
    ],
)
def test_check_refuses(spec: ModelSpec, words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        models.check(spec, 64)
    assert "models" in (error.value.key or "")
    for word in words:
        assert word in str(error.value)


def test_check_refuses_too_small_images(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = roster.Entry("resnet18", "cnn", min_image_size=16)
    monkeypatch.setattr(roster, "load", lambda: {"resnet18": entry})
    models.check(ModelSpec(name="resnet18"), 16)
    with pytest.raises(InputError, match="at least 16 px, got 15"):
        models.check(ModelSpec(name="resnet18"), 15)


def test_pretrained_without_network_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(name: str, **arguments: object) -> nn.Module:
        assert arguments["pretrained"] is True
        raise OSError("Name or service not known\nand a long story")

    monkeypatch.setattr(timm, "create_model", no_network)
    with pytest.raises(InputError) as error:
        _build(ModelSpec(name="resnet18", pretrained=True))
    assert "\n" not in str(error.value)
    assert "pre-trained weights of 'resnet18' cannot be had" in str(error.value)


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_nets_for_test.py").write_text(
        "from torch import nn\n"
        "def good(num_classes, in_chans, width=4):\n"
        "    return nn.Sequential(nn.Conv2d(in_chans, width, 3), nn.AdaptiveAvgPool2d(1),\n"
        "                         nn.Flatten(), nn.Linear(width, num_classes))\n"
        "def features(num_classes, in_chans):\n"
        "    return nn.Conv2d(in_chans, num_classes, 3)\n"
        "def nothing(num_classes, in_chans):\n"
        "    return None\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("my_nets_for_test", None)
    return "my_nets_for_test"


def test_own_factory(own_module: str) -> None:
    spec = ModelSpec(name="mine", factory=f"{own_module}:good", args={"width": 8})
    models.check(spec, 32)
    built = _build(spec, drop_path_rate=0.1)
    assert built.arguments == {"num_classes": 4, "in_chans": 3, "width": 8}
    assert list(built.omitted) == ["drop_path_rate"]
    answer: Tensor = built.model(torch.zeros(2, 3, 32, 32))
    assert answer.shape == (2, 4)


def test_a_model_that_answers_no_scores_is_refused(own_module: str) -> None:
    with pytest.raises(InputError, match=r"answers \(2, 4, 30, 30\) to a batch of 2"):
        _build(ModelSpec(name="mine", factory=f"{own_module}:features"))
    with pytest.raises(InputError, match="made NoneType"):
        _build(ModelSpec(name="mine", factory=f"{own_module}:nothing"))


def test_names_hold_the_network_its_ablations_and_the_roster() -> None:
    families = models.families()
    assert {"medspectralnet", "medmamba_tiny", "resnet18", "starnet_s4"} <= families.keys()
    assert families["medspectralnet_no_context_gate"] == "ablation"
    assert models.names() == list(families)
    assert set(models.names()) <= set(timm.list_models())
