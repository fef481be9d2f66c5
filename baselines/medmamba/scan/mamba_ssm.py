"""The selective scan by mamba_ssm's CUDA kernel, where that package is installed.

Offered for comparison (``use_form("mamba_ssm")``), never chosen on its own. The kernel scans
sequences, not pixels, so its time here includes bringing every direction into its order and back;
the backward pass runs the forward kernel again for the states it keeps.

Source: state-spaces/mamba, ``selective_scan_interface.py`` (the calls of ``SelectiveScanFn``).
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from torch import Tensor


def available() -> bool:
    """Whether mamba_ssm's compiled kernel can be imported."""
    return importlib.util.find_spec("selective_scan_cuda") is not None


def forward(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> Tensor:
    """The scan of :func:`.reference.forward`."""
    arguments = _sequences(x, delta, a, b, c, d, delta_bias, orders)
    y, *_ = _kernel().fwd(*arguments[:6], None, arguments[6], True)
    return _to_pixels(y, x, orders).sum(0)


def backward(
    dy: Tensor,
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> tuple[Tensor, ...]:
    """Gradients of x, Δ, A, B, C, D and Δ's bias."""
    arguments = _sequences(x, delta, a, b, c, d, delta_bias, orders)
    _, states, *_ = _kernel().fwd(*arguments[:6], None, arguments[6], True)
    dys = _to_sequences(dy.expand(len(orders), *dy.shape), orders)
    grads = _kernel().bwd(*arguments[:6], None, arguments[6], dys, states, None, None, True, False)
    du, ddelta, da, db, dc, dd, dbias, *_ = grads
    # (B, K, N, L) → (B, L, K, N), each direction's visits back at their pixels
    db, dc = (_unvisit(t.permute(1, 0, 3, 2), orders).permute(1, 2, 0, 3) for t in (db, dc))
    return (
        _to_pixels(du, x, orders).sum(0),
        _to_pixels(ddelta, x, orders),
        da.view(a.shape),
        db,
        dc,
        dd.view(d.shape),
        dbias.view(delta_bias.shape),
    )


def _kernel() -> Any:
    try:
        import selective_scan_cuda
    except ImportError as error:
        raise RuntimeError(
            "mamba_ssm is not installed here; install it or choose the form 'triton'"
        ) from error
    return selective_scan_cuda


def _sequences(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> tuple[Tensor, ...]:
    """The kernel's layouts: u and Δ (B, K·E, L), A (K·E, N), B and C (B, K, N, L), D (K·E)."""
    b, c = (_visit(t.permute(2, 0, 1, 3), orders).permute(1, 0, 3, 2).contiguous() for t in (b, c))
    u = _to_sequences(x.expand(len(orders), *x.shape), orders)
    sequences = (u, _to_sequences(delta, orders), a.flatten(0, 1).contiguous())
    return (*sequences, b, c, d.flatten().contiguous(), delta_bias.flatten().contiguous())


def _visit(by_pixel: Tensor, orders: Tensor) -> Tensor:
    """(K, B, L, ·) by pixel → the same by visit."""
    index = orders[:, None, :, None].expand(by_pixel.shape)
    return by_pixel.gather(2, index)


def _unvisit(by_visit: Tensor, orders: Tensor) -> Tensor:
    """(K, B, L, ·) by visit → the same by pixel."""
    index = orders[:, None, :, None].expand(by_visit.shape)
    return torch.empty_like(by_visit).scatter_(2, index, by_visit)


def _to_sequences(by_pixel: Tensor, orders: Tensor) -> Tensor:
    """(K, B, L, E) by pixel → (B, K·E, L) by visit."""
    return _visit(by_pixel, orders).permute(1, 0, 3, 2).flatten(1, 2).contiguous()


def _to_pixels(sequences: Tensor, x: Tensor, orders: Tensor) -> Tensor:
    """(B, K·E, L) by visit → (K, B, L, E) by pixel."""
    batch, length, channels = x.shape
    by_visit = sequences.view(batch, len(orders), channels, length).permute(1, 0, 3, 2)
    return _unvisit(by_visit.contiguous(), orders)
