"""Inputs of a selective scan, and the comparison of its forms."""

from __future__ import annotations

import torch
from torch import Tensor

from baselines.medmamba.scan import selective_scan, use_form

CLOSE = 1e-4  # of the largest value, in float32


def random_inputs(
    batch: int,
    length: int,
    directions: int,
    channels: int,
    state: int,
    *,
    dtype: torch.dtype = torch.float32,
    raw_scale: float = 1.0,
) -> list[Tensor]:
    """x, Δ, A, B, C, D, Δ's bias (requiring gradients) and random orders."""
    rng = torch.Generator().manual_seed(batch + 10 * length + 100 * channels)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, dtype=dtype)

    leaves = [
        normal(batch, length, channels),
        normal(directions, batch, length, channels) * raw_scale,
        -8 * torch.rand(directions, channels, state, generator=rng, dtype=dtype),
        normal(batch, length, directions, state),
        normal(batch, length, directions, state),
        normal(directions, channels),
        normal(directions, channels),
    ]
    orders = torch.stack([torch.randperm(length, generator=rng) for _ in range(directions)])
    return [leaf.requires_grad_() for leaf in leaves] + [orders]


def values_and_gradients(form: str, inputs: list[Tensor], dtype: torch.dtype) -> list[Tensor]:
    leaves = [leaf.detach().to(dtype).requires_grad_() for leaf in inputs[:-1]]
    with use_form(form):
        y = selective_scan(*[*leaves, inputs[-1]])
        # A fixed, uneven weighting of the outputs, the same in every form.
        weights = torch.cos(torch.arange(y.numel(), dtype=torch.float64)).view(y.shape)
        gradients = torch.autograd.grad((y * weights.to(y)).sum(), leaves)
    return [y.detach(), *gradients]


def assert_close(got: list[Tensor], wanted: list[Tensor]) -> None:
    names = ("y", "dx", "dΔ", "dA", "dB", "dC", "dD", "dΔ bias")
    for name, ours, theirs in zip(names, got, wanted, strict=True):
        error = (ours.double() - theirs.double()).abs().max() / theirs.abs().max().clamp(min=1e-30)
        assert error < CLOSE, f"{name}: relative error {error:.1e}"
