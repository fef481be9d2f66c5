"""The deploy form of a rival: its parallel branches merged and its batch norms folded.

``torch.fx`` cannot trace every model and its fuser misses timm's ``BatchNormAct2d``, so a norm is
paired with the convolution whose output it is seen to take, and the fused model must give the
same outputs or there is none.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

import torch
from timm.layers import BatchNormAct2d
from timm.utils.model import reparameterize_model
from torch import Tensor, nn

TOLERANCE = 1e-4  # of the largest logit, in float32


@torch.no_grad()
def fuse(model: nn.Module, image: Tensor) -> nn.Module:
    """A copy of ``model`` in evaluation mode that gives the same outputs with fewer operations.

    Args:
        image: a batch (B, C, H, W) of the size the model will see; the two are compared on it.

    Raises:
        ValueError: the fused model's outputs differ by more than ``TOLERANCE``.
    """
    was_training = model.training
    model.eval()
    try:
        fused: nn.Module = reparameterize_model(model, inplace=False).eval()
        for conv, norm in _pairs(fused, image):
            _fold(conv, norm)
            _replace(fused, norm, norm.act if isinstance(norm, BatchNormAct2d) else nn.Identity())
    finally:
        model.train(was_training)
    check_equal(model, fused, image)
    return fused


@torch.no_grad()
def check_equal(model: nn.Module, fused: nn.Module, image: Tensor) -> None:
    """Refuse a deploy form that is another function.

    Raises:
        ValueError: the two differ by more than ``TOLERANCE`` on ``image``.
    """
    was_training = model.training
    try:
        wanted, got = model.eval()(image), fused(image)
    finally:
        model.train(was_training)
    error = float((got - wanted).abs().max() / wanted.abs().max().clamp(min=1e-6))
    if not error <= TOLERANCE:
        raise ValueError(
            f"the fused {type(model).__name__} differs by {error:.1e} of its largest output"
        )


def _pairs(model: nn.Module, image: Tensor) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Every batch norm that takes exactly what one convolution gave, each of both called once."""
    made: dict[int, nn.Conv2d] = {}
    alive: list[Tensor] = []  # so that no id is used twice
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []
    calls: Counter[nn.Module] = Counter()

    def after_conv(conv: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(conv, nn.Conv2d)
        calls[conv] += 1
        made[id(output)] = conv
        alive.append(output)

    def before_norm(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        calls[norm] += 1
        conv = made.get(id(inputs[0]))
        if conv is not None and norm.track_running_stats:
            pairs.append((conv, norm))

    with _hooks(model, after_conv, before_norm):
        model(image)
    return [pair for pair in pairs if all(calls[part] == 1 for part in pair)]


@contextlib.contextmanager
def _hooks(model: nn.Module, after_conv: object, before_norm: object) -> Iterator[None]:
    handles = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            handles.append(module.register_forward_hook(after_conv))  # type: ignore[arg-type]
        elif isinstance(module, nn.BatchNorm2d):
            handles.append(module.register_forward_pre_hook(before_norm))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    shift = -norm.running_mean * scale
    if norm.affine:
        scale, shift = scale * norm.weight, shift * norm.weight + norm.bias
    bias = shift if conv.bias is None else conv.bias * scale + shift
    conv.weight.copy_(conv.weight * scale[:, None, None, None])
    conv.bias = nn.Parameter(bias.clone())


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)
