"""Resizing and normalising, against constants and PIL."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bench.data.transform import normalise, resize


def smooth(size: int) -> torch.Tensor:
    """A grey ramp down and across, ``(1, 1, size, size)`` uint8."""
    line = torch.linspace(0, 120, size)
    return (line[:, None] + line[None, :]).round().to(torch.uint8)[None, None]


@pytest.mark.parametrize(("before", "after"), [(28, 64), (28, 224), (224, 28), (64, 48)])
def test_resize_agrees_with_pil(before: int, after: int) -> None:
    image = smooth(before)
    theirs = Image.fromarray(image[0, 0].numpy()).resize((after, after), Image.Resampling.BILINEAR)
    ours = resize(image, after)[0, 0].numpy().astype(int)
    assert np.abs(ours - np.asarray(theirs).astype(int)).max() <= 1


def test_downscaling_is_antialiased() -> None:
    columns = torch.zeros(1, 1, 64, 64, dtype=torch.uint8)
    columns[..., ::4] = 255  # a quarter: sampling without averaging would miss all of them
    assert (resize(columns, 16)[..., 2:-2, 2:-2].int() - 64).abs().max() < 8


def test_same_size_is_left_untouched() -> None:
    image = smooth(28)
    assert resize(image, 28) is image


def test_normalise_maps_the_range_to_one_and_repeats_grey() -> None:
    image = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 1, 1, 3)
    out = normalise(image, 3)
    assert out.shape == (1, 3, 1, 3)
    assert out.dtype == torch.float32
    for channel in out[0]:
        torch.testing.assert_close(channel[0], torch.tensor([-1.0, 1.0, -0.6]))
    torch.testing.assert_close(normalise(image, 1), (image / 255 - 0.5) / 0.5)


def test_colour_is_not_made_grey_in_silence() -> None:
    with pytest.raises(ValueError, match="images have 3 channels, asked for 1"):
        normalise(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), 1)
