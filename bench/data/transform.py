"""From stored images to what a network is fed: resized once, normalised batch by batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

HALF_RANGE = 127.5  # uint8 0–255 → −1…1, which is mean .5 and standard deviation .5 of 0–1


def resize(images: Tensor, image_size: int) -> Tensor:
    """Images ``(N, C, H, W)`` uint8 at ``image_size``: bilinear, antialiased, rounded to uint8.

    The arithmetic is float32 on every device; at the size they have, images come back untouched.
    """
    if images.shape[-2:] == (image_size, image_size):
        return images
    size = (image_size, image_size)
    resized = F.interpolate(
        images.float(), size, mode="bilinear", antialias=True, align_corners=False
    )
    return resized.round_().clamp_(0, 255).to(torch.uint8)


def normalise(images: Tensor, channels: int, out: Tensor | None = None) -> Tensor:
    """Images ``(B, C, H, W)`` uint8 as float32 in −1…1, grey repeated where ``channels`` is 3.

    The result ``(B, channels, H, W)`` is channels_last in memory, as networks are fed.

    Args:
        out: memory for the result, ``(B, H, W, channels)`` float32.

    Raises:
        ValueError: colour images where one channel is asked for.
    """
    if images.shape[1] not in (1, channels):
        raise ValueError(f"images have {images.shape[1]} channels, asked for {channels}")
    pixels = images.permute(0, 2, 3, 1)  # (B, H, W, C)
    if out is None:
        out = torch.empty((*pixels.shape[:3], channels), device=images.device)
    if images.shape[1] == channels:
        _scale_(out.copy_(pixels))
    else:  # a third of the arithmetic
        out.copy_(_scale_(pixels.float()).expand_as(out))
    return out.permute(0, 3, 1, 2)


def _scale_(levels: Tensor) -> Tensor:
    return levels.div_(HALF_RANGE).sub_(1)
