"""fuse(): equal outputs, no batch norm, the original untouched; and exports that agree."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

import ablations
from medspectralnet.fuse import folded
from medspectralnet.layers import ConvNorm
from medspectralnet.registry import TINY
from medspectralnet.streams import PositionConv

NAMES = ["medspectralnet", *ablations.ABLATIONS]


def trained_looking(name: str, **kwargs: Any) -> Any:
    """A model whose norms have statistics and affines far from their initial values."""
    torch.manual_seed(0)
    model = timm.create_model(name, **{"num_classes": 8, **TINY, **kwargs})
    rng = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.5, generator=rng)
            module.running_var.uniform_(0.5, 2, generator=rng)
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=rng)
            nn.init.normal_(module.bias, 0, 0.5, generator=rng)
    return model.eval()


def images(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


def relative_error(got: Tensor, want: Tensor) -> float:
    return float((got - want).abs().max() / want.abs().max())


@pytest.mark.parametrize("size", [(28, 28), (45, 70), (96, 96)])
@pytest.mark.parametrize("name", NAMES)
def test_fused_outputs_are_equal_and_no_norm_is_left(name: str, size: tuple[int, int]) -> None:
    model = trained_looking(name)
    fused = model.fuse()
    x = images(3, 3, *size)
    with torch.no_grad():
        assert relative_error(fused(x), model(x)) < 1e-4
    unfolded = (nn.BatchNorm2d, ConvNorm, PositionConv)
    left = [n for n, m in fused.named_modules() if isinstance(m, unfolded)]
    assert left == []


@torch.no_grad()
def test_full_size_is_equal_too() -> None:
    full = timm.create_model("medspectralnet", num_classes=8)
    full.train()
    for seed in range(2):  # statistics of its own
        full(torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(seed)))
    full.eval()
    x = images(2, 3, 96, 96)
    assert relative_error(full.fuse()(x), full(x)) < 1e-4


def test_the_original_is_untouched() -> None:
    model = trained_looking("medspectralnet").train()
    before = copy.deepcopy(model.state_dict())
    fused = model.fuse()
    for parameter in fused.parameters():
        parameter.data.zero_()
    after = model.state_dict()
    assert model.training
    assert not fused.training
    assert list(after) == list(before)
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_fusing_again_changes_nothing() -> None:
    fused = trained_looking("medspectralnet").fuse()
    x = images(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(fused.fuse()(x), fused(x))


def test_the_deploy_form_is_smaller() -> None:
    model = trained_looking("medspectralnet")
    count = [sum(1 for _ in m.modules()) for m in (model, model.fuse())]
    assert count[1] < 0.7 * count[0]


def test_a_norm_without_statistics_cannot_be_folded() -> None:
    block = ConvNorm(3, 4, 3)
    block.norm = nn.BatchNorm2d(4, track_running_stats=False)
    with pytest.raises(ValueError, match="without running statistics"):
        folded(block)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("size", [(32, 32), (75, 64)])
def test_torch_export_agrees(size: tuple[int, int], fused: bool) -> None:
    model = trained_looking("medspectralnet")
    model = model.fuse() if fused else model
    x = images(2, 3, *size)
    program = torch.export.export(model, (x,))
    with torch.no_grad():
        assert relative_error(program.module()(x), model(x)) < 1e-4


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("size", [(32, 32), (75, 64), (224, 224)])
def test_onnx_export_agrees(tmp_path: Path, size: tuple[int, int], fused: bool) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = trained_looking("medspectralnet")
    model = model.fuse() if fused else model
    x = images(2, 3, *size)
    file = tmp_path / "model.onnx"
    torch.onnx.export(model, (x,), str(file), dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    with torch.no_grad():
        assert relative_error(torch.from_numpy(np.asarray(got)), model(x)) < 1e-4
