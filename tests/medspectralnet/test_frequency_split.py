"""The frequency split: what pools, what passes, and that the constrained kernel is the split."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from medspectralnet.spectral import BandConv2d, high_pass, low_band, pool_factor


def test_subtracting_the_mean_then_convolving_is_one_constrained_convolution() -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 9, 8, generator=rng)
    conv = BandConv2d(3, 5, split=True)
    windows = F.unfold(x, 5, padding=2).view(2, 3, 25, 72)
    deviation = windows - windows.mean(dim=2, keepdim=True)
    want = (deviation * conv.weight.detach().view(1, 3, 25, 1)).sum(dim=2).view(2, 3, 9, 8)
    torch.testing.assert_close(conv(x), want, rtol=1e-4, atol=1e-5)


def test_high_band_is_deaf_to_a_constant_and_hears_stripes() -> None:
    conv = BandConv2d(4, 5, split=True)
    flat = torch.ones(1, 4, 12, 12)
    inner = (..., slice(2, -2), slice(2, -2))  # away from the zero padding
    assert conv(flat)[inner].abs().max() < 1e-5
    stripes = torch.tensor([1.0, -1.0]).repeat(6).expand(1, 4, 12, 12)
    assert conv(stripes)[inner].abs().amax(dim=(2, 3)).min() > 1e-2


def test_without_the_split_the_kernel_is_free_and_the_state_the_same() -> None:
    split, whole = BandConv2d(4, 3, split=True), BandConv2d(4, 3, split=False)
    whole.load_state_dict(split.state_dict())
    torch.testing.assert_close(whole.kernel(), split.weight)
    torch.testing.assert_close(split.kernel(), high_pass(whole.weight))
    assert split.kernel().mean(dim=(2, 3)).abs().max() < 1e-7


@pytest.mark.parametrize(("height", "width", "factor"), [(8, 8, 4), (7, 10, 3), (5, 5, 2)])
def test_low_band_is_the_mean_of_each_window(height: int, width: int, factor: int) -> None:
    x = torch.randn(1, 2, height, width, generator=torch.Generator().manual_seed(0))
    low = low_band(x, factor)
    assert low.shape == (1, 2, -(-height // factor), -(-width // factor))
    for i in range(low.shape[2]):
        for j in range(low.shape[3]):
            window = x[:, :, i * factor : (i + 1) * factor, j * factor : (j + 1) * factor]
            torch.testing.assert_close(low[:, :, i, j], window.mean(dim=(2, 3)))


@given(side=st.integers(1, 2000), largest=st.integers(1, 16), grid=st.integers(1, 16))
def test_pooling_keeps_enough_tokens(side: int, largest: int, grid: int) -> None:
    factor = pool_factor(side, largest=largest, grid=grid)
    assert 1 <= factor <= largest
    assert factor == 1 or side // factor >= grid
    bigger = factor + 1
    assert bigger > largest or side // bigger < grid


def test_the_pooling_of_the_paper_size() -> None:
    assert [pool_factor(s, largest=p, grid=7) for s, p in ((56, 8), (28, 4), (14, 2), (7, 1))] == [
        8,
        4,
        2,
        1,
    ]
    assert [pool_factor(s, largest=p, grid=7) for s, p in ((8, 8), (4, 4), (2, 2), (1, 1))] == [
        1
    ] * 4
