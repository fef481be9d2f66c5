"""Input controls: one kind of information taken out of every image.

*Blur* keeps the coarse and takes the fine (a Gaussian low-pass). *Shuffle* keeps the fine and takes
the coarse: the image is cut into patches, which are permuted anew for each image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.data.control_limits import BLUR_REACH, check_control
from bench.specs import Control

ORDER = torch.int16  # holds the number of every patch: a grid has at most 32 × 32
CHUNK = 16  # images; float copies made while blurring stay small enough for the caches


def draw_orders(control: Control, count: int, generator: torch.Generator) -> Tensor | None:
    """Which patch comes to each place, for ``count`` images ``(count, g²)`` int16; None for a blur.

    All are drawn at once, so that an image's patches are the same however images are grouped.

    Args:
        generator: on the CPU; a blur draws nothing from it.
    """
    if control.grid is None:
        return None
    drawn = torch.rand(count, control.grid**2, generator=generator)
    return torch.cat([part.argsort(dim=1).to(ORDER) for part in drawn.split(CHUNK)])


def apply_control(images: Tensor, control: Control, orders: Tensor | None) -> Tensor:
    """Controlled images, same shape ``(B, C, S, S)`` and dtype uint8.

    Each image comes out the same to the last bit, alone or in any batch.

    Args:
        orders: of these images, as ``draw_orders`` draws them for a shuffle.

    Raises:
        InputError: the control does not fit the images' size.
    """
    check_control(control, images.shape[-1])
    if control.sigma is not None:
        return torch.cat([_blur(chunk, control.sigma) for chunk in images.split(CHUNK)])
    assert control.grid is not None  # Control has checked that a shuffle has one
    assert orders is not None
    return _shuffle(images, control.grid, orders.to(images.device, torch.int64))


def _blur(images: Tensor, sigma: float) -> Tensor:
    radius = round(BLUR_REACH * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    weights = torch.exp(-(offsets**2) / (2 * sigma**2))
    weights /= weights.sum()
    padded = F.pad(images.float(), (radius, radius, radius, radius), mode="reflect")
    rows = _weighted_sum(padded, weights.tolist(), axis=3)
    blurred = _weighted_sum(rows, weights.tolist(), axis=2)
    return blurred.round_().clamp_(0, 255).to(torch.uint8)


def _weighted_sum(images: Tensor, weights: Sequence[float], axis: int) -> Tensor:
    """``out[i] = Σ weights[k] · images[i + k]`` along ``axis``.

    Products and sums are rounded one by one. Which algorithm a convolution takes, and so its last
    bit, may depend on the batch and the device; nor is it faster with kernels of one channel.
    """
    length = images.shape[axis] - len(weights) + 1
    total = images.narrow(axis, 0, length) * weights[0]
    for offset, weight in enumerate(weights[1:], start=1):
        total += images.narrow(axis, offset, length) * weight
    return total


def _shuffle(images: Tensor, grid: int, order: Tensor) -> Tensor:
    count, channels, size, _ = images.shape
    side = size // grid
    patches = (
        images.reshape(count, channels, grid, side, grid, side)
        .permute(0, 2, 4, 1, 3, 5)  # (B, g, g, C, p, p)
        .reshape(count, grid * grid, channels, side, side)
    )
    shuffled = patches[torch.arange(count, device=images.device)[:, None], order]
    return (
        shuffled.reshape(count, grid, grid, channels, side, side)
        .permute(0, 3, 1, 4, 2, 5)  # (B, C, g, p, g, p)
        .reshape(images.shape)
    )
