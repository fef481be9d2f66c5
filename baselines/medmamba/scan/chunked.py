"""The selective scan in plain PyTorch, for any device and dtype: a chunk of steps at a time.

Within a chunk everything but the recurrence is one operation on all steps; the recurrence is one
fused multiply-add per step. The backward pass keeps the states at chunk borders and recomputes the
rest, so memory does not grow with the whole sequence of states.

Letters: B batch, L pixels, K directions, E channels, N state, S steps of a chunk; time comes first
here. See :mod:`.operator` for the layouts of the arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

# States of a chunk: on a CPU 2^20 was the fastest of 2^15 to 2^22, forward and backward, at 16 × 16
# and 56 × 56 pixels; on a GPU fewer, larger operations are better.
_CHUNK_ELEMENTS, _CHUNK_ELEMENTS_GPU = 2**20, 2**24


class _Chunk(NamedTuple):
    """What a chunk's steps see, in the order of the visits."""

    pixels: Tensor  # (S, K), which pixel each direction visits
    x: Tensor  # (S, K, B, E)
    raw: Tensor  # (S, K, B, E), Δ before softplus
    step: Tensor  # (S, K, B, E), Δ
    decay: Tensor  # (S, K, B, E, N), exp(Δ A)
    b: Tensor  # (S, K, B, 1, N)
    c: Tensor  # (S, K, B, 1, N)

    def states(self, h: Tensor) -> Tensor:
        """The states (S, K, B, E, N) after each step, from the state ``h`` before the first."""
        states = (self.step * self.x)[..., None] * self.b
        for t in range(len(states)):
            h = torch.addcmul(states[t], self.decay[t], h, out=states[t])
        return states


def _chunk(
    pixels: Tensor, x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, delta_bias: Tensor
) -> _Chunk:
    k = torch.arange(len(a), device=x.device)
    raw = delta.permute(2, 0, 1, 3)[pixels, k] + delta_bias[:, None]  # (S, K, B, E)
    step = softplus(raw)
    return _Chunk(
        pixels=pixels,
        x=x.transpose(0, 1)[pixels],
        raw=raw,
        step=step,
        decay=(step[..., None] * a[:, None]).exp_(),
        b=b.permute(1, 2, 0, 3)[pixels, k][..., None, :],
        c=c.permute(1, 2, 0, 3)[pixels, k][..., None, :],
    )


def _pixels_by_chunk(x: Tensor, a: Tensor, orders: Tensor) -> Iterator[Tensor]:
    elements = _CHUNK_ELEMENTS if x.device.type == "cpu" else _CHUNK_ELEMENTS_GPU
    steps = max(1, elements // max(1, x.shape[0] * a.numel()))
    return iter(orders.t().split(steps))


def _initial_state(x: Tensor, a: Tensor) -> Tensor:
    return x.new_zeros(a.shape[0], x.shape[0], *a.shape[1:])  # (K, B, E, N)


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
    y = torch.zeros_like(x)  # (B, L, E)
    h = _initial_state(x, a)
    for pixels in _pixels_by_chunk(x, a, orders):
        chunk = _chunk(pixels, x, delta, a, b, c, delta_bias)
        states = chunk.states(h)
        h = states[-1].clone()
        seen = (states @ chunk.c.mT).squeeze(-1) + d[:, None] * chunk.x  # (S, K, B, E)
        for k in range(len(a)):
            y[:, pixels[:, k]] += seen[:, k].transpose(0, 1)
    return y


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
    starts = [_initial_state(x, a)]
    chunks = list(_pixels_by_chunk(x, a, orders))
    for pixels in chunks[:-1]:
        starts.append(_chunk(pixels, x, delta, a, b, c, delta_bias).states(starts[-1])[-1].clone())
    dx, ddelta = torch.zeros_like(x), torch.empty_like(delta)
    da, dd = torch.zeros_like(a), torch.zeros_like(d)
    db, dc = torch.empty_like(b), torch.empty_like(c)
    carry = torch.zeros_like(starts[0])  # decay_{t+1} dh_{t+1}
    directions = torch.arange(len(a), device=x.device)
    for pixels, start in zip(reversed(chunks), reversed(starts), strict=True):
        chunk = _chunk(pixels, x, delta, a, b, c, delta_bias)
        dys = dy.transpose(0, 1)[pixels]  # (S, K, B, E)
        states = chunk.states(start)
        dh = dys[..., None] * chunk.c  # (S, K, B, E, N)
        for t in reversed(range(len(dh))):
            carry = dh[t].add_(carry).mul(chunk.decay[t])
        du = (dh @ chunk.b.mT).squeeze(-1)  # (S, K, B, E), of u = Δ x
        before = torch.cat((start[None], states[:-1]))
        through_decay = chunk.decay.mul_(dh).mul_(before)  # of Δ A
        dstep = du * chunk.x + torch.einsum("skben,ken->skbe", through_decay, a)
        da += torch.einsum("skben,skbe->ken", through_decay, chunk.step)
        dd += (dys * chunk.x).sum((0, 2))
        at = (pixels, directions)
        ddelta.permute(2, 0, 1, 3)[at] = dstep * torch.sigmoid(chunk.raw)
        u = (chunk.step * chunk.x)[..., None, :]  # (S, K, B, 1, E)
        db.permute(1, 2, 0, 3)[at] = (u @ dh).squeeze(-2)
        dc.permute(1, 2, 0, 3)[at] = (dys[..., None, :] @ states).squeeze(-2)
        seen = du * chunk.step + d[:, None] * dys
        for k in range(len(a)):
            dx[:, pixels[:, k]] += seen[:, k].transpose(0, 1)
    return dx, ddelta, da, db, dc, dd, ddelta.sum((1, 2))
