"""SS2D: four selective scans over an image, gated (VMamba's token mixer as MedMamba uses it).

Papers: MedMamba, arXiv 2403.03849; `VMamba: Visual State Space Model`, arXiv 2401.10166.

Letters: B batch, H and W map height and width, L = H·W, d channels, E = 2d inner channels,
K = 4 directions, N states per channel, r rank of Δ.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.medmamba.scan import form_for, selective_scan

DIRECTIONS = 4


def scan_orders(height: int, width: int, device: torch.device) -> Tensor:
    """The pixel each direction visits at each step: by rows, by columns, and both reversed.

    >>> scan_orders(2, 2, torch.device("cpu")).tolist()
    [[0, 1, 2, 3], [0, 2, 1, 3], [3, 2, 1, 0], [3, 1, 2, 0]]
    """
    pixels = torch.arange(height * width, device=device).view(height, width)
    forward = torch.stack((pixels.flatten(), pixels.t().flatten()))  # (2, L)
    return torch.cat((forward, forward.flip(1)))  # (4, L)


class SS2D(nn.Module):
    """Project, convolve depthwise, scan in four directions, normalise, gate, project.

    Every projection of Δ, B and C is pointwise, so it is done by pixel before the scans, for all
    directions at once; only the scans know about order.

    Args:
        channels: d, of the input and the output.
        state: N.
    """

    def __init__(self, channels: int, state: int = 16) -> None:
        super().__init__()
        inner, rank = 2 * channels, math.ceil(channels / 16)
        self.rank, self.state, k = rank, state, DIRECTIONS
        self.in_proj = nn.Linear(channels, 2 * inner, bias=False)
        self.conv2d = nn.Conv2d(inner, inner, kernel_size=3, padding=1, groups=inner)
        self.x_proj_weight = nn.Parameter(torch.empty(k, rank + 2 * state, inner))
        self.dt_projs_weight = nn.Parameter(torch.empty(k, inner, rank))
        self.dt_projs_bias = nn.Parameter(torch.empty(k, inner))
        self.A_logs = nn.Parameter(torch.empty(k * inner, state))
        self.Ds = nn.Parameter(torch.empty(k * inner))
        self.out_norm = nn.LayerNorm(inner)
        self.out_proj = nn.Linear(inner, channels, bias=False)
        self.reset_scan_parameters()

    @torch.no_grad()
    def reset_scan_parameters(self) -> None:
        """Initialise what is not a module: Δ's bias so that Δ is log-uniform in [0.001, 0.1]."""
        bound = self.x_proj_weight.shape[-1] ** -0.5  # that of a Linear layer by default
        nn.init.uniform_(self.x_proj_weight, -bound, bound)
        nn.init.uniform_(self.dt_projs_weight, -(self.rank**-0.5), self.rank**-0.5)
        low, high = math.log(0.001), math.log(0.1)
        step = (torch.rand_like(self.dt_projs_bias) * (high - low) + low).exp()
        self.dt_projs_bias.copy_(step + torch.log(-torch.expm1(-step)))  # softplus's inverse
        states = torch.arange(1, self.state + 1, device=self.A_logs.device)
        self.A_logs.copy_(states.log().expand_as(self.A_logs))
        nn.init.ones_(self.Ds)

    def describe_execution(self, device: torch.device) -> str:
        """Which form of the scan runs on this device, in a sentence for the record."""
        return f"Selective scan: {form_for(device.type, state=self.state)} form, float32."

    def forward(self, tokens: Tensor) -> Tensor:  # (B, H, W, d)
        batch, height, width, _ = tokens.shape
        # Two products of one weight: their results are contiguous, halves of one would not be.
        x_weight, z_weight = self.in_proj.weight.chunk(2)
        x, z = F.linear(tokens, x_weight), F.linear(tokens, z_weight)  # (B, H, W, E) each
        x = F.silu(self.conv2d(x.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)
        y = self._scan(x.reshape(batch, height * width, -1), height, width)
        y = self.out_norm(y.to(self.out_norm.weight.dtype)).view_as(z) * F.silu(z)
        mixed: Tensor = self.out_proj(y)
        return mixed

    def _scan(self, x: Tensor, height: int, width: int) -> Tensor:  # (B, L, E)
        batch, length, inner = x.shape
        projected = F.linear(x, self.x_proj_weight.flatten(0, 1))  # (B, L, K(r + 2N))
        projected = projected.view(batch, length, DIRECTIONS, -1)
        low, b, c = projected.split((self.rank, self.state, self.state), dim=-1)
        low = low.permute(2, 0, 1, 3).reshape(DIRECTIONS, batch * length, self.rank)
        delta = torch.bmm(low, self.dt_projs_weight.mT).view(DIRECTIONS, batch, length, inner)
        at_least_float32 = torch.promote_types(self.A_logs.dtype, torch.float32)
        return selective_scan(
            x,
            delta,
            -torch.exp(self.A_logs.to(at_least_float32)).view(DIRECTIONS, inner, self.state),
            b,
            c,
            self.Ds.view(DIRECTIONS, inner),
            self.dt_projs_bias,
            scan_orders(height, width, x.device),
        )
