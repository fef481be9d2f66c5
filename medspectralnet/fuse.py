"""The deploy form: batch norms folded, parallel convolutions merged, 1×1 ones as products."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from medspectralnet.layers import ConvNorm, Pointwise
from medspectralnet.spectral import BandConv2d
from medspectralnet.streams import PositionConv

Model = TypeVar("Model", bound=nn.Module)


@torch.no_grad()
def fuse(model: Model) -> Model:
    """A copy of ``model`` in evaluation mode, without batch norms, with the same outputs."""
    fused = copy.deepcopy(model).eval()
    _fold(fused)
    return fused


def folded(block: ConvNorm) -> nn.Conv2d:
    """One convolution with bias equal to convolution and norm in evaluation mode."""
    conv, norm = block.conv, block.norm
    kernel = conv.kernel() if isinstance(conv, BandConv2d) else conv.weight
    if norm.running_var is None or norm.running_mean is None:
        raise ValueError("fuse: a batch norm without running statistics cannot be folded")
    scale: Tensor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    out = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        stride=conv.stride,  # type: ignore[arg-type]
        padding=conv.padding,  # type: ignore[arg-type]
        groups=conv.groups,
        device=kernel.device,
        dtype=kernel.dtype,
    )
    out.weight.copy_(kernel * scale[:, None, None, None])
    assert out.bias is not None
    out.bias.copy_(norm.bias - norm.running_mean * scale)
    return out.to(memory_format=torch.channels_last)


def _deployed(block: ConvNorm) -> nn.Module:
    conv, act = folded(block), isinstance(block.act, nn.ReLU)
    if conv.kernel_size == (1, 1) and conv.stride == (1, 1) and conv.groups == 1:
        return Pointwise(conv, act=act)
    return nn.Sequential(conv, block.act) if act else conv


def _fold(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, ConvNorm):
            setattr(module, name, _deployed(child))
        elif isinstance(child, PositionConv):
            conv = folded(child.conv)
            conv.weight[:, :, 1, 1] += 1  # the parallel identity
            setattr(module, name, conv)
        else:
            _fold(child)
