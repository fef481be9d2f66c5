"""The selective scan on a GPU by one Triton kernel a pass, float32 only.

Without a GPU the same kernels run in Triton's interpreter (``TRITON_INTERPRET=1``, set before
Triton is imported), slowly, for tests.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import os
from typing import Any

import torch
from torch import Tensor

BLOCK = 32  # channels of a program: one warp, a lane each
CHUNK = 32  # steps that the backward pass runs again at once
UNROLL = 4  # steps whose loads the forward pass starts together
_PROGRAMS_PER_PROCESSOR = 8  # below this, directions are spread over programs


@functools.cache
def available() -> bool:
    """Whether Triton is installed."""
    return importlib.util.find_spec("triton") is not None


def interpreted() -> bool:
    """Whether kernels run in Triton's interpreter, on the CPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"


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
    """The scan of :func:`.reference.forward`, float32 on a GPU."""
    from baselines.medmamba.scan.gpu_kernels import forward_kernel

    batch, length, channels = x.shape
    directions, _, state = a.shape
    grid = _grid(x, directions)
    y = x.new_empty(grid[2], batch, length, channels)
    tensors, strides = _arguments(x, delta, a, b, c, d, delta_bias, orders)
    with _device_of(x):
        forward_kernel[grid](
            *tensors,
            y,
            batch,
            length,
            channels,
            *strides,
            PER_GROUP=directions // grid[2],
            N=state,
            BLOCK=BLOCK,
            UNROLL=UNROLL,
            num_warps=1,
        )
    return y[0] if len(y) == 1 else y.sum(0)


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
    """Gradients of x, Δ, A, B, C, D and Δ's bias; no atomics, so the same bits each time."""
    from baselines.medmamba.scan.gpu_kernels import backward_kernel

    batch, length, channels = x.shape
    directions, _, state = a.shape
    grid = _grid(x, directions)
    blocks, programs, chunks = grid[1], math.prod(grid), math.ceil(length / CHUNK)
    dx = x.new_empty(grid[2], batch, length, channels)
    ddelta = x.new_empty(delta.shape)
    da = x.new_empty(batch, directions, state, channels)
    db = x.new_empty(blocks, batch, length, directions, state)
    dc = torch.empty_like(db)
    dd = x.new_empty(batch, directions, channels)
    dbias = torch.empty_like(dd)
    starts = x.new_empty(programs, chunks, state, BLOCK)
    states = x.new_empty(programs, CHUNK, state, BLOCK)
    tensors, strides = _arguments(x, delta, a, b, c, d, delta_bias, orders)
    with _device_of(x):
        backward_kernel[grid](
            dy.contiguous(),
            *tensors,
            *(dx, ddelta, da, db, dc, dd, dbias, starts, states),
            batch,
            length,
            channels,
            chunks,
            *strides,
            K=directions,
            PER_GROUP=directions // grid[2],
            N=state,
            N_PADDED=1 << (state - 1).bit_length(),
            BLOCK=BLOCK,
            CHUNK=CHUNK,
            num_warps=1,
        )
    return (
        dx.sum(0),
        ddelta,
        da.sum(0).transpose(1, 2).contiguous(),
        db.sum(0),
        dc.sum(0),
        dd.sum(0),
        dbias.sum(0),
    )


def _grid(x: Tensor, directions: int) -> tuple[int, int, int]:
    """Programs by image, block of channels and group of directions.

    A group of all directions saves adding up partial sums, where there are programs enough.
    """
    batch, _, channels = x.shape
    blocks = math.ceil(channels / BLOCK)
    enough = batch * blocks >= _PROGRAMS_PER_PROCESSOR * _processors(x.device)
    return batch, blocks, 1 if enough else directions


@functools.cache
def _processors(device: torch.device) -> int:
    if device.type != "cuda":
        return 1
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def _device_of(x: Tensor) -> Any:
    """Triton launches on the current device, which need not be the tensor's."""
    return torch.cuda.device_of(x)


def _arguments(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    delta_bias: Tensor,
    orders: Tensor,
) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
    """What both kernels read, in their layouts, and the strides of B and C."""
    a2 = (a * math.log2(math.e)).transpose(1, 2).contiguous()  # (K, N, E), for exp2
    b, c = (t if t.stride(-1) == 1 else t.contiguous() for t in (b, c))
    x, delta, d, delta_bias, orders = (t.contiguous() for t in (x, delta, d, delta_bias, orders))
    return (x, delta, a2, b, c, d, delta_bias, orders), (*b.stride()[:3], *c.stride()[:3])
