"""Rivals in their deploy form: the same outputs, and no batch norm left that could be folded."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

import baselines  # noqa: F401  (registers the models)
from baselines import deploy

NORMS_LEFT = {  # norms that stand before their convolution, or without one
    "resnet18": 0,
    "repvit_m1_1": 0,
    "mobilenetv4_conv_medium": 0,
    "efficientvit_b1": 0,
    "starnet_s4": 1,  # behind the last sum
    "fastvit_t12": 0,
    "edgenext_small": 0,
    "mambaout_femto": 0,
    "vit_tiny_patch16_224": 0,
    "medmamba_tiny": 10,  # the first of each block's convolution branch
}


def stirred(name: str) -> nn.Module:
    """The model with running statistics and norms away from their initial values."""
    torch.manual_seed(0)
    sized = {"img_size": 64} if name.startswith("vit") else {}
    model: nn.Module = timm.create_model(name, num_classes=5, **sized)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(std=0.2)
            module.running_var.uniform_(0.5, 2)
    return model


def norms(model: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


@pytest.mark.parametrize(("name", "left"), NORMS_LEFT.items())
def test_rivals_fuse_with_equal_outputs(name: str, left: int) -> None:
    model = stirred(name)
    image = torch.randn(2, 3, 64, 64)
    fused = deploy.fuse(model, image)
    assert norms(fused) == left
    other = torch.randn(3, 3, 64, 64)  # not the batch on which fuse() compares
    with torch.no_grad():
        wanted, got = model.eval()(other), fused(other)
    assert (got - wanted).abs().max() < 1e-4 * wanted.abs().max()
    assert norms(model) >= norms(fused)


def test_the_original_stays_as_it_was() -> None:
    model = stirred("mobilenetv4_conv_medium").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    deploy.fuse(model, torch.randn(1, 3, 64, 64))
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class Shared(nn.Module):
    """A convolution's output that more than its norm takes: folding would change the other use."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.norm = nn.BatchNorm2d(4)
        nn.init.constant_(self.norm.weight, 3.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        out: torch.Tensor = (self.norm(y) + y).mean((2, 3))
        return out


def test_a_fold_that_changes_outputs_is_refused() -> None:
    with pytest.raises(ValueError, match="the fused Shared differs by"):
        deploy.fuse(Shared(), torch.randn(2, 3, 8, 8))


class Twice(nn.Module):
    """One norm behind two convolutions: it cannot be folded into both."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.norm(self.second(self.norm(self.first(x)))).mean((2, 3))
        return out


def test_a_norm_used_twice_is_left_alone() -> None:
    assert norms(deploy.fuse(Twice(), torch.randn(2, 3, 8, 8))) == 1
