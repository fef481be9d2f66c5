"""Input controls: one kind of information taken out of every image.

*Blur* keeps the coarse and takes the fine (a Gaussian low-pass). *Shuffle* keeps the fine and takes
the coarse: the image is cut into patches, which are permuted anew for each image.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.data.control_limits import BLUR_REACH, check_control
from bench.specs import Control

CHUNK = 1024  # images; bounds the float copy made while blurring


def apply_control(images: Tensor, control: Control, generator: torch.Generator) -> Tensor:
    """Controlled images, same shape ``(N, C, S, S)`` and dtype uint8.

    Args:
        generator: on the CPU; a shuffle draws its permutations from it, a blur draws nothing.

    Raises:
        InputError: the control does not fit the images' size.
    """
    check_control(control, images.shape[-1])
    if control.sigma is not None:
        return torch.cat([_blur(chunk, control.sigma) for chunk in images.split(CHUNK)])
    assert control.grid is not None  # Control has checked that a shuffle has one
    return _shuffle(images, control.grid, generator)


def _blur(images: Tensor, sigma: float) -> Tensor:
    radius = round(BLUR_REACH * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32, device=images.device)
    weights = torch.exp(-(offsets**2) / (2 * sigma**2))
    weights /= weights.sum()
    count, channels, height, width = images.shape
    flat = images.float().reshape(count * channels, 1, height, width)
    padded = F.pad(flat, (radius, radius, radius, radius), mode="reflect")
    rows = F.conv2d(padded, weights.view(1, 1, 1, -1))
    blurred = F.conv2d(rows, weights.view(1, 1, -1, 1))
    return blurred.round().clamp(0, 255).to(torch.uint8).view_as(images)


def _shuffle(images: Tensor, grid: int, generator: torch.Generator) -> Tensor:
    count, channels, size, _ = images.shape
    side = size // grid
    patches = (
        images.reshape(count, channels, grid, side, grid, side)
        .permute(0, 2, 4, 1, 3, 5)  # (N, g, g, C, p, p)
        .reshape(count, grid * grid, channels, side, side)
    )
    order = torch.rand(count, grid * grid, generator=generator).argsort(dim=1).to(images.device)
    shuffled = patches[torch.arange(count, device=images.device)[:, None], order]
    return (
        shuffled.reshape(count, grid, grid, channels, side, side)
        .permute(0, 3, 1, 4, 2, 5)  # (N, C, g, p, g, p)
        .reshape(images.shape)
    )
