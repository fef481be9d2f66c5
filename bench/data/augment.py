"""Augmentations of a whole batch on its device, every random choice from one generator.

With a count, each image gets that many of the named ones, drawn anew for each image: the idea of
RandAugment (Cubuk et al., CVPR workshops 2020, arXiv 1909.13719), without its list of operations.

Strengths and their ranges are in ``bench.data.invariances.STRENGTHS``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.data.invariances import AUGMENTATIONS

ASPECT = 4 / 3  # widest and tallest crop or box, width : height
CROP_DRAWS = 10  # of a box, as torchvision has it
BLANK = 0.0  # an erased box is mid-grey


def augment(
    images: Tensor,
    strengths: Mapping[str, float],
    generator: torch.Generator,
    count: int | None = None,
) -> Tensor:
    """The batch ``(B, C, H, W)`` float in −1…1, augmented by the named augmentations.

    They are applied in the order of ``AUGMENTATIONS``, whatever the mapping's order, so that the
    same generator state gives the same batch. ``images`` is left as it was.

    Args:
        count: how many of them each image gets, drawn for it without replacement; None, or a
            count that is not below their number (a data set may forbid some): all of them.

    Raises:
        ValueError: an unknown name.
    """
    unknown = set(strengths) - set(AUGMENTATIONS)
    if unknown:
        raise ValueError(f"unknown augmentation {sorted(unknown)[0]!r}")
    names = [name for name in AUGMENTATIONS if name in strengths]
    if count is None or count >= len(names):
        for name in names:
            images = _BY_NAME[name](images, strengths[name], generator)
        return images
    drawn = _draw(len(images), len(names), count, generator).to(images.device)
    for column, name in enumerate(names):
        changed = _BY_NAME[name](images, strengths[name], generator)
        images = torch.where(_per_image(drawn[:, column]), changed, images)
    return images


def _draw(images: int, names: int, count: int, generator: torch.Generator) -> Tensor:
    """``(images, names)`` bool, ``count`` of each row true: the places of its smallest numbers."""
    numbers = torch.rand(images, names, generator=generator, device=generator.device)
    drawn = torch.zeros(images, names, dtype=torch.bool, device=generator.device)
    return drawn.scatter_(1, numbers.argsort(dim=1, stable=True)[:, :count], True)


def _uniform(low: float, high: float, like: Tensor, generator: torch.Generator) -> Tensor:
    """``(B,)`` values, drawn where the generator lives and moved to the batch."""
    drawn = torch.rand(len(like), generator=generator, device=generator.device)
    return (low + (high - low) * drawn).to(like.device)


def _per_image(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def _flip(axis: int) -> Callable[[Tensor, float, torch.Generator], Tensor]:
    def flip(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
        chosen = _uniform(0, 1, images, generator) < probability
        return torch.where(_per_image(chosen), images.flip(axis), images)

    return flip


def _shift(images: Tensor, pixels: float, generator: torch.Generator) -> Tensor:
    """Whole pixels, the same odds for each of −p…p on both axes; the rim is mirrored in."""
    reach = int(pixels)
    for axis in (2, 3):
        drawn = _uniform(0, 2 * reach + 1, images, generator).floor().clamp(max=2 * reach) - reach
        size = images.shape[axis]
        source = torch.arange(size, device=images.device) + drawn.long()[:, None]  # (B, size)
        source = size - 1 - (size - 1 - source.abs()).abs()  # mirrored about both rims
        shape = (-1, 1, size, 1) if axis == 2 else (-1, 1, 1, size)
        images = images.gather(axis, source.view(shape).expand_as(images))
    return images


def _warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Sample by affine maps ``(B, 2, 3)`` from output to input, in units of half the image."""
    places = F.affine_grid(matrices, list(images.shape), align_corners=False)
    return F.grid_sample(
        images, places, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _box(
    images: Tensor, least: float, most: float, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A box in each image: half width, half height, centre x, centre y, in half-images."""
    area = _uniform(least, most, images, generator)
    spread = _uniform(-math.log(ASPECT), math.log(ASPECT), images, generator)
    half_width = (area * spread.exp()).sqrt().clamp(max=1)
    half_height = (area / spread.exp()).sqrt().clamp(max=1)
    x = _uniform(-1, 1, images, generator) * (1 - half_width)
    y = _uniform(-1, 1, images, generator) * (1 - half_height)
    return half_width, half_height, x, y


def _crop(images: Tensor, cut: float, generator: torch.Generator) -> Tensor:
    """A box of at least 1 − ``cut`` of the area, enlarged to the whole image.

    Boxes are torchvision's ``RandomResizedCrop``'s with scale ``(1 − cut, 1)``: of ten draws the
    first that lies in the image, the whole image where none does.
    """
    shape = (2, CROP_DRAWS, len(images))
    drawn = torch.rand(shape, generator=generator, device=generator.device).to(images.device)
    area, spread = 1 - cut * drawn[0], (2 * drawn[1] - 1) * math.log(ASPECT)
    sides = torch.stack(((area * spread.exp()).sqrt(), (area / spread.exp()).sqrt()))  # (2, 10, B)
    fits = (sides <= 1).all(dim=0)
    first = fits.byte().argmax(dim=0).expand(2, 1, -1)
    half_width, half_height = sides.gather(1, first)[:, 0].where(fits.any(dim=0), 1.0)
    x = _uniform(-1, 1, images, generator) * (1 - half_width)
    y = _uniform(-1, 1, images, generator) * (1 - half_height)
    zero = torch.zeros_like(x)
    rows = [torch.stack((half_width, zero, x), 1), torch.stack((zero, half_height, y), 1)]
    return _warp(images, torch.stack(rows, 1))


def _rotate(images: Tensor, degrees: float, generator: torch.Generator) -> Tensor:
    angle = _uniform(-degrees, degrees, images, generator).deg2rad()
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    aspect = images.shape[3] / images.shape[2]
    rows = [
        torch.stack((cosine, -sine / aspect, zero), 1),
        torch.stack((sine * aspect, cosine, zero), 1),
    ]
    return _warp(images, torch.stack(rows, 1))


def _brighten(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Contrast times 1 ± s about mid-grey, then brightness ± s of half the range."""
    gain = _uniform(1 - strength, 1 + strength, images, generator)
    offset = _uniform(-strength, strength, images, generator)
    return (images * _per_image(gain) + _per_image(offset)).clamp(-1, 1)


def _erase(images: Tensor, area: float, generator: torch.Generator) -> Tensor:
    """One box of up to ``area`` of every image becomes mid-grey."""
    half_width, half_height, x, y = _box(images, 0, area, generator)
    height, width = images.shape[2:]
    rows = (torch.arange(height, device=images.device) + 0.5) / height * 2 - 1
    columns = (torch.arange(width, device=images.device) + 0.5) / width * 2 - 1
    inside_rows = (rows - y[:, None]).abs() <= half_height[:, None]  # (B, H)
    inside_columns = (columns - x[:, None]).abs() <= half_width[:, None]  # (B, W)
    inside = inside_rows[:, None, :, None] & inside_columns[:, None, None, :]
    return images.masked_fill(inside, BLANK)


_BY_NAME: Mapping[str, Callable[[Tensor, float, torch.Generator], Tensor]] = {
    "horizontal_flip": _flip(3),
    "vertical_flip": _flip(2),
    "shift": _shift,
    "crop": _crop,
    "rotation": _rotate,
    "brightness": _brighten,
    "erase": _erase,
}
