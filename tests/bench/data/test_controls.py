"""Blur against SciPy-free closed forms, shuffle as a permutation of patches."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from bench.data.controls import apply_control, draw_orders
from bench.errors import InputError
from bench.specs import Control


def images(count: int = 5, channels: int = 3, size: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(
        0, 256, (count, channels, size, size), generator=generator, dtype=torch.uint8
    )


def run(batch: torch.Tensor, control: Control, seed: int = 0) -> torch.Tensor:
    orders = draw_orders(control, len(batch), torch.Generator().manual_seed(seed))
    return apply_control(batch, control, orders)


def blur(sigma: float) -> Control:
    return Control(kind="blur", sigma=sigma)


def shuffle(grid: int) -> Control:
    return Control(kind="shuffle", grid=grid)


def patches(image: torch.Tensor, grid: int) -> list[bytes]:
    side = image.shape[-1] // grid
    return sorted(
        image[:, r * side : (r + 1) * side, c * side : (c + 1) * side].numpy().tobytes()
        for r in range(grid)
        for c in range(grid)
    )


@settings(max_examples=20, deadline=None)
@given(grid=st.sampled_from([2, 4, 8, 16]), seed=st.integers(0, 1000))
def test_shuffle_keeps_exactly_the_patches(grid: int, seed: int) -> None:
    before = images()
    after = run(before, shuffle(grid), seed)
    assert after.shape == before.shape
    assert after.dtype == torch.uint8
    for old, new in zip(before, after, strict=True):
        assert patches(old, grid) == patches(new, grid)


def test_shuffle_draws_anew_for_each_image_and_repeats_for_a_seed() -> None:
    same = images(1).expand(6, -1, -1, -1)
    after = run(same, shuffle(4))
    assert len({image.numpy().tobytes() for image in after}) == 6
    assert torch.equal(after, run(same, shuffle(4)))
    assert not torch.equal(after, run(same, shuffle(4), seed=1))


def test_every_place_is_as_likely_for_every_patch() -> None:
    marked = torch.zeros(4000, 1, 4, 4, dtype=torch.uint8)
    marked[:, :, :2, :2] = 1
    places = run(marked, shuffle(2))[:, 0, ::2, ::2].float().mean(0)
    assert (places - 0.25).abs().max() < 0.03


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_blur_weakens_a_wave_as_the_gaussian_says(sigma: float) -> None:
    """A cosine of period p keeps exp(−2π²σ²/p²) of its amplitude, along either axis."""
    period, size = 16, 128
    wave = 100 * torch.cos(2 * math.pi * torch.arange(size) / period) + 128
    kept = math.exp(-2 * math.pi**2 * sigma**2 / period**2)
    expected = (wave - 128) * kept + 128
    for batch in (wave[None, None, None, :], wave[None, None, :, None]):
        image = batch.expand(1, 1, size, size).round().to(torch.uint8)
        after = run(image, blur(sigma)).float()
        inner = slice(32, 96)  # away from the mirrored rim
        target = (expected[None, :] if batch.shape[-1] == size else expected[:, None]).expand(
            size, size
        )
        assert (after[0, 0, inner, inner] - target[inner, inner]).abs().max() <= 1.0


def test_blur_keeps_a_flat_image_and_draws_nothing() -> None:
    flat = torch.full((2, 1, 32, 32), 77, dtype=torch.uint8)
    assert torch.equal(run(flat, blur(3.0)), flat)
    batch = images()
    assert torch.equal(run(batch, blur(2.0), seed=0), run(batch, blur(2.0), seed=1))


def test_blur_in_chunks_is_blur_image_by_image() -> None:
    batch = images(150, 1, 8)
    whole = run(batch, blur(1.0))
    for index in (0, 15, 16, 149):
        assert torch.equal(whole[index : index + 1], run(batch[index : index + 1], blur(1.0)))


@pytest.mark.parametrize("sigma", [0.7, 2.0])
def test_blur_is_a_convolution_with_the_gaussian_mirrored_at_the_rim(sigma: float) -> None:
    batch = images(3, 3, 24)
    radius = round(4 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    line = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (line[:, None] * line[None, :] / line.sum() ** 2)[None, None]
    flat = batch.double().reshape(9, 1, 24, 24)
    padded = functional.pad(flat, (radius,) * 4, mode="reflect")
    expected = functional.conv2d(padded, kernel).reshape(batch.shape)
    assert (run(batch, blur(sigma)).double() - expected).abs().max() <= 0.5 + 1e-3


def test_an_images_patches_go_the_same_way_in_any_company() -> None:
    batch, control = images(70), shuffle(4)
    orders = draw_orders(control, 70, torch.Generator().manual_seed(3))
    assert orders is not None
    whole = apply_control(batch, control, orders)
    for chosen in ([69], [5, 64, 3], list(range(70))):
        assert torch.equal(apply_control(batch[chosen], control, orders[chosen]), whole[chosen])


def test_control_that_does_not_fit_is_refused_with_what_would() -> None:
    with pytest.raises(InputError, match="grid: a 5 × 5 grid does not divide 32 pixels; use one"):
        run(images(), shuffle(5))
    with pytest.raises(InputError, match="sigma: a blur of sigma 9 reaches across all 32 pixels"):
        run(images(), blur(9.0))
    run(images(), blur(7.75))
