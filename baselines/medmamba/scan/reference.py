"""The selective scan as it is defined, one step after another: slow, any floating dtype.

Letters: B batch, L pixels, K directions, E channels, N state; see :mod:`.operator` for the layouts.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


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
    """``h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t x_t``; ``y_t = C_t·h_t + D x_t``, all K summed."""
    step = softplus(delta + delta_bias[:, None, None])  # (K, B, L, E)
    y = torch.zeros_like(x)  # (B, L, E)
    for k, order in enumerate(orders.tolist()):
        h = x.new_zeros(x.shape[0], *a.shape[1:])  # (B, E, N)
        for p in order:
            decay = torch.exp(step[k, :, p, :, None] * a[k])  # (B, E, N)
            h = decay * h + (step[k, :, p] * x[:, p])[..., None] * b[:, p, k, None]
            y[:, p] += (h * c[:, p, k, None]).sum(-1) + d[k] * x[:, p]
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
    """Gradients of x, Δ, A, B, C, D and Δ's bias, by the chain rule, one step after another."""
    raw = delta + delta_bias[:, None, None]  # (K, B, L, E)
    step = softplus(raw)
    dx, dstep = torch.zeros_like(x), torch.zeros_like(step)
    da, db, dc, dd = torch.zeros_like(a), torch.zeros_like(b), torch.zeros_like(c), d * 0
    for k, order in enumerate(orders.tolist()):
        states = [x.new_zeros(x.shape[0], *a.shape[1:])]  # each (B, E, N)
        for p in order:
            decay = torch.exp(step[k, :, p, :, None] * a[k])
            driven = (step[k, :, p] * x[:, p])[..., None] * b[:, p, k, None]
            states.append(decay * states[-1] + driven)
        carry = torch.zeros_like(states[0])  # decay_{t+1} dh_{t+1}
        for t, p in reversed(list(enumerate(order))):
            st, xt, dyt = step[k, :, p], x[:, p], dy[:, p]  # each (B, E)
            dh = carry + dyt[..., None] * c[:, p, k, None]
            carry = torch.exp(st[..., None] * a[k]) * dh
            du = (dh * b[:, p, k, None]).sum(-1)  # of u = Δ x
            through_decay = carry * states[t]  # of Δ A
            dx[:, p] += du * st + d[k] * dyt
            dstep[k, :, p] = du * xt + (through_decay * a[k]).sum(-1)
            da[k] += (through_decay * st[..., None]).sum(0)
            db[:, p, k] = (dh * (st * xt)[..., None]).sum(1)
            dc[:, p, k] = (states[t + 1] * dyt[..., None]).sum(1)
            dd[k] += (dyt * xt).sum(0)
    ddelta = dstep * torch.sigmoid(raw)
    return dx, ddelta, da, db, dc, dd, ddelta.sum((1, 2))
