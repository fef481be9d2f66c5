"""What timm's own test-suite asks of a model, asked of the network and of every ablation."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from timm.models import group_parameters
from torch import Tensor, nn

import ablations
import medspectralnet
from medspectralnet.registry import TINY

NAMES = ["medspectralnet", *ablations.ABLATIONS]
TINY_WIDTHS = TINY["widths"]


def tiny(name: str, **kwargs: Any) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = timm.create_model(name, **{**TINY, "num_classes": 8, **kwargs})
    return model


def images(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_every_model_is_registered_and_all_are_tested() -> None:
    assert set(timm.list_models("medspectralnet*")) == set(NAMES)
    assert len(NAMES) == 9
    assert isinstance(timm.create_model("test_medspectralnet"), medspectralnet.MedSpectralNet)


@pytest.mark.parametrize("in_chans", [1, 3])
@pytest.mark.parametrize("size", [(28, 28), (33, 61), (64, 64)])
@pytest.mark.parametrize("name", NAMES)
def test_forward_takes_any_size_and_depends_on_the_image(
    name: str, size: tuple[int, int], in_chans: int
) -> None:
    model = tiny(name, in_chans=in_chans).eval()
    out = model(images(2, in_chans, *size))
    assert out.shape == (2, 8)
    assert out.isfinite().all()
    assert not torch.allclose(out[0], out[1], atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient_that_is_not_zero(name: str) -> None:
    model = tiny(name, num_classes=42).train()
    out = model(images(4, 3, 64, 64))
    (out * images(4, 42)).sum().backward()
    dead = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []


@pytest.mark.parametrize("name", NAMES)
def test_default_cfg_names_the_layers_and_sizes(name: str) -> None:
    model: Any = tiny(name).eval()
    cfg, state = model.default_cfg, model.state_dict()
    assert cfg["input_size"] == (3, 224, 224)
    assert cfg["classifier"] + ".weight" in state
    assert cfg["first_conv"] + ".weight" in state
    with torch.no_grad():
        x = images(1, 3, 224, 224)
        assert tuple(model.forward_features(x).shape[-2:]) == cfg["pool_size"]
        model.reset_classifier(0)
        assert model(x).shape == (1, model.num_features)
        model.reset_classifier(0, "")
        assert model(x).shape == (1, model.num_features, *cfg["pool_size"])
        model.reset_classifier(5, "avg")
        assert model(x).shape == (1, 5)
    assert model.get_classifier().out_features == model.num_classes == 5


@pytest.mark.parametrize("name", NAMES)
def test_head_pools_then_classifies(name: str) -> None:
    model: Any = tiny(name).eval()
    features = model.forward_features(images(2, 3, 64, 64))
    pooled = model.forward_head(features, pre_logits=True)
    torch.testing.assert_close(pooled, features.mean(dim=(2, 3)))
    logits = model.forward_head(features)
    torch.testing.assert_close(logits, model.get_classifier()(pooled))


@pytest.mark.parametrize("size", [(64, 64), (47, 90)])
@pytest.mark.parametrize("name", NAMES)
def test_features_only_has_the_strides_and_channels_it_says(
    name: str, size: tuple[int, int]
) -> None:
    model: Any = tiny(name, features_only=True).eval()
    assert model.feature_info.channels() == list(TINY_WIDTHS)
    assert model.feature_info.reduction() == [4, 8, 16, 32]
    maps = model(images(1, 3, *size))
    for one, width, stride in zip(maps, TINY_WIDTHS, (4, 8, 16, 32), strict=True):
        assert one.shape == (1, width, -(-size[0] // stride), -(-size[1] // stride))


def test_features_only_takes_the_stages_asked_for() -> None:
    model: Any = tiny("medspectralnet", features_only=True, out_indices=(1, 3)).eval()
    assert [m.shape[1] for m in model(images(1, 3, 64, 64))] == [TINY_WIDTHS[1], TINY_WIDTHS[3]]


@pytest.mark.parametrize("name", NAMES)
def test_intermediates_are_the_stages_maps(name: str) -> None:
    model: Any = tiny(name).eval()
    x = images(2, 3, 64, 64)
    features, maps = model.forward_intermediates(x)
    torch.testing.assert_close(features, model.forward_features(x))
    assert [m.shape[1] for m in maps] == list(TINY_WIDTHS)
    torch.testing.assert_close(maps[0], model.stages[0](model.stem(x)))
    last_two = model.forward_intermediates(x, indices=2, intermediates_only=True)
    for got, want in zip(last_two, maps[2:], strict=True):
        torch.testing.assert_close(got, want)
    ran: list[int] = []
    model.stages[3].register_forward_hook(lambda *_: ran.append(3))
    model.forward_intermediates(x, indices=[1], intermediates_only=True, stop_early=True)
    assert ran == []


def test_checkpointing_changes_memory_not_gradients() -> None:
    grads = []
    for enabled in (False, True):
        model: Any = tiny("medspectralnet").train()
        model.set_grad_checkpointing(enabled)
        calls: list[int] = []
        model.stages[2].blocks[0].register_forward_pre_hook(lambda *_, c=calls: c.append(1))
        model(images(4, 3, 64, 64)).square().sum().backward()
        assert len(calls) == (2 if enabled else 1)
        grads.append({n: p.grad for n, p in model.named_parameters()})
    for name, grad in grads[0].items():
        torch.testing.assert_close(grads[1][name], grad, msg=name)


def test_drop_path_drops_branches_in_training_only() -> None:
    model = tiny("medspectralnet", drop_path_rate=0.5)
    x = images(4, 3, 64, 64)
    model.eval()
    torch.testing.assert_close(model(x), model(x))
    model.train()
    assert not torch.allclose(model(x), model(x))
    modules: list[Any] = [m for m in model.modules() if type(m).__name__ == "DropPath"]
    rates: list[float] = [m.drop_prob for m in modules]
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(0.5)


def test_dropout_drops_in_training_only() -> None:
    model: Any = tiny("medspectralnet", drop_rate=0.5).train()
    features = images(2, TINY_WIDTHS[-1], 2, 2)
    assert (model.forward_head(features, pre_logits=True) == 0).any()
    assert (model.eval().forward_head(features, pre_logits=True) != 0).all()


@pytest.mark.parametrize("coarse", [False, True])
def test_group_matcher_orders_all_parameters_by_depth(coarse: bool) -> None:
    model: Any = tiny("medspectralnet")
    groups = group_parameters(model, model.group_matcher(coarse=coarse), reverse=True)
    names = {n for n, _ in model.named_parameters()}
    assert set(groups) == names
    assert len(set(groups.values())) >= (5 if coarse else 6)
    assert groups["stem.conv1.conv.weight"] == 0
    first, last = "stages.0.blocks.0.mlp.0.conv.weight", "stages.3.blocks.0.mlp.0.conv.weight"
    assert 0 < groups[first] < groups[last] <= groups["head.fc.weight"]


def test_no_weight_decay_names_existing_parameters() -> None:
    model: Any = tiny("medspectralnet")
    assert model.no_weight_decay() <= {n for n, _ in model.named_parameters()}


def test_the_published_size() -> None:
    model = timm.create_model("medspectralnet", num_classes=8, in_chans=3)
    parameters = sum(p.numel() for p in model.parameters())
    assert parameters == pytest.approx(8.5e6, rel=0.01)


def test_learns_texture_and_layout_at_32_pixels_from_small_batches() -> None:
    """Stripes one pixel wide × the half they lie in: four classes, 16 images a batch."""
    model = timm.create_model(
        "test_medspectralnet", num_classes=4, in_chans=1, widths=(16, 16, 24, 32)
    )
    rng = torch.Generator().manual_seed(3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(120):
        x, y = striped(16, rng)
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    x, y = striped(128, rng)
    with torch.no_grad():
        accuracy = (model.eval()(x).argmax(dim=1) == y).float().mean()
    assert accuracy > 0.9


def striped(count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images (count, 1, 32, 32) and labels 2·(stripes upright) + (patch in the right half)."""
    y = torch.randint(0, 4, (count,), generator=rng)
    x = 0.2 * torch.randn(count, 1, 32, 32, generator=rng)
    stripes = torch.tensor([1.0, -1.0]).repeat(5).expand(10, 10)
    for image, label in zip(x, y.tolist(), strict=True):
        top = int(torch.randint(0, 22, (), generator=rng))
        left = int(torch.randint(0, 6, (), generator=rng)) + 16 * (label % 2)
        patch = stripes if label // 2 else stripes.T
        image[0, top : top + 10, left : left + 10] += patch
    return x, y
