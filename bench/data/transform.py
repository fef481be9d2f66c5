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


def normalise(images: Tensor, channels: int) -> Tensor:
    """Images ``(N, C, H, W)`` uint8 as float32 in −1…1, grey repeated where ``channels`` is 3.

    Raises:
        ValueError: colour images where one channel is asked for.
    """
    if images.shape[1] not in (1, channels):
        raise ValueError(f"images have {images.shape[1]} channels, asked for {channels}")
    scaled = images.float().div_(HALF_RANGE).sub_(1)
    return scaled.expand(-1, channels, -1, -1).contiguous()
