"""One registered operator for the selective scan, and the choice of the form that computes it.

Layouts: x (B, L, E) pixels of an image; Δ (K, B, L, E) before bias and softplus; A (K, E, N);
B and C (B, L, K, N), one pair per direction shared by its channels; D and Δ's bias (K, E);
``orders`` (K, L) int64, the pixel that direction k visits at step t. Everything is stored by pixel,
never by visit, so directions cost no copy: each reads in its own order and adds to y where it is.

Letters: B batch, L pixels, K directions, E channels, N states per channel.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from baselines.medmamba.scan import chunked, compiled, gpu, mamba_ssm, reference

FORMS: dict[str, ModuleType] = {
    "reference": reference,
    "pytorch": chunked,
    "c": compiled,
    "triton": gpu,
    "mamba_ssm": mamba_ssm,
}
"""Every form by its name in records; each module has ``forward`` and ``backward``."""

OPERATOR = "medspectral_bench::selective_scan"
"""The operator's name in traces, for counters of operations."""

_RUNS_ON = {"c": "cpu", "triton": "cuda", "mamba_ssm": "cuda"}  # float32 alone; others anywhere
_STATE_SIZE = 16  # of every MedMamba; what form_for() builds the C form for
_log = logging.getLogger(__name__)
_chosen: str | None = None  # by use_form; a global, for the backward pass runs in other threads


def form_for(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    state: int = _STATE_SIZE,
) -> str:
    """The name of the form that runs on ``device``: its kernel where there is one, else PyTorch's.

    ``mamba_ssm`` and ``reference`` run only where :func:`use_form` names them.
    """
    if _chosen is not None:
        return _chosen
    kind = torch.device(device).type
    if dtype != torch.float32:
        return "pytorch"
    if kind == "cpu":
        return "c" if compiled.library(state) is not None else "pytorch"
    if kind == "cuda" and gpu.available():
        return "triton"
    _say_once_no_kernel(kind)
    return "pytorch"


@contextmanager
def use_form(name: str) -> Iterator[None]:
    """Compute every scan inside by one form, forward and backward.

    Raises:
        ValueError: no form has this name.
    """
    global _chosen
    if name not in FORMS:
        raise ValueError(f"no form {name!r} of the selective scan; choose one of {sorted(FORMS)}")
    before, _chosen = _chosen, name
    try:
        yield
    finally:
        _chosen = before


@functools.cache
def _say_once_no_kernel(kind: str) -> None:
    lacking = "Triton is not installed" if kind == "cuda" else "there is none"
    _log.warning(
        "no selective-scan kernel for %s (%s); the slower PyTorch form runs", kind, lacking
    )


def _form(x: Tensor, a: Tensor) -> Any:
    name = form_for(x.device, x.dtype, state=a.shape[-1])
    wanted = _RUNS_ON.get(name, x.device.type)
    if name == "triton" and gpu.interpreted():
        wanted = "cpu"
    if name in _RUNS_ON and (x.dtype != torch.float32 or x.device.type != wanted):
        raise ValueError(
            f"the form {name!r} of the selective scan computes float32 on {wanted}, "
            f"got {x.dtype} on {x.device}; use the form 'pytorch'"
        )
    return FORMS[name]


@torch.library.custom_op(OPERATOR, mutates_args=())
def _selective_scan(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> Tensor:
    y: Tensor = _form(x, a).forward(x, delta, a, b, c, d, delta_bias, orders)
    return y


@_selective_scan.register_fake
def _(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> Tensor:
    return x.new_empty(x.shape)


@torch.library.custom_op(f"{OPERATOR}_backward", mutates_args=())
def _selective_scan_backward(
    dy: Tensor,
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    inputs = (x, delta, a, b, c, d, delta_bias)
    grads = _form(x, a).backward(dy, *inputs, orders)
    dx, ddelta, da, db, dc, dd, dbias = (
        grad if grad.is_contiguous() else grad.contiguous() for grad in grads
    )
    return dx, ddelta, da, db, dc, dd, dbias


@_selective_scan_backward.register_fake
def _(
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
    return tuple(t.new_empty(t.shape) for t in (x, delta, a, b, c, d, delta_bias))


def _save(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    return (*_selective_scan_backward(dy, *ctx.saved_tensors), None)


_selective_scan.register_autograd(_backward, setup_context=_save)


def selective_scan(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> Tensor:
    """K selective scans of an image, summed: ``h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t x_t``,
    ``y_t = C_t·h_t + D x_t`` with ``Δ = softplus(delta + delta_bias)``.

    Source: Gu & Dao 2023 (arXiv 2312.00752), equations 2a-2b with its simplified B. Half-precision
    inputs are computed in float32, under autocast too.

    Args:
        x: (B, L, E), any floating dtype.
        delta: (K, B, L, E), before its bias and softplus.
        a: (K, E, N).
        b, c: (B, L, K, N).
        d, delta_bias: (K, E).
        orders: (K, L) int64; row k is a permutation of the pixels, in the order of the visits.

    Returns:
        (B, L, E), float64 for float64 ``x``, else float32.

    Raises:
        ValueError: shapes that do not fit each other.
    """
    batch, length, channels = x.shape
    directions, _, state = a.shape
    expected = {
        "delta": (delta, (directions, batch, length, channels)),
        "a": (a, (directions, channels, state)),
        "b": (b, (batch, length, directions, state)),
        "c": (c, (batch, length, directions, state)),
        "d": (d, (directions, channels)),
        "delta_bias": (delta_bias, (directions, channels)),
        "orders": (orders, (directions, length)),
    }
    for name, (tensor, shape) in expected.items():
        if tensor.shape != shape:
            raise ValueError(f"selective_scan: {name} must be {shape}, got {tuple(tensor.shape)}")
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    floats = (t.to(dtype) for t in (x, delta, a, b, c, d, delta_bias))
    y: Tensor = _selective_scan(*floats, orders)
    return y


def scan_macs(batch: int, channels: int, length: int, state: int) -> int:
    """Multiply-adds of a scan; ``channels`` counts all directions, E·K.

    Four multiplications per state and step (Δ·A, (Δx)·B, Ā·h, C·h), two per channel and step
    (Δ·x, D·x): ``4·B·L·E·N + 2·B·L·E``. (The often used 9·B·L·E·N counts FLOPs.)

    >>> scan_macs(batch=1, channels=2, length=3, state=4)
    108
    """
    return 4 * batch * length * channels * state + 2 * batch * length * channels
