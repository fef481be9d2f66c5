"""The convolutions the network is made of: convolution + batch norm (+ activation)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Pointwise(nn.Module):
    """A 1×1 convolution (+ ReLU) as one matrix product over channels-last pixels; deploy form.

    On a CPU a convolution packs its weights anew at every call, which costs a small batch more
    than the product itself.
    """

    def __init__(self, conv: nn.Conv2d, *, act: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(conv.weight.detach().flatten(1).clone())
        assert conv.bias is not None
        self.bias = nn.Parameter(conv.bias.detach().clone())
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) → (B, C_out, H, W); no copy where ``x`` is channels last."""
        out = F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias)
        return (torch.relu_(out) if self.act else out).permute(0, 3, 1, 2)


class ConvNorm(nn.Module):
    """Convolution without bias, batch norm, optional ReLU; the norm folds away for deployment.

    The norm stands behind the convolution, never before it, so that folding is exact at
    zero-padded borders too.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        groups: int = 1,
        act: bool = False,
        conv: nn.Conv2d | None = None,
    ) -> None:
        super().__init__()
        self.conv = conv or nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            groups=groups,
            bias=False,
        )
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU(inplace=True) if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) → (B, C_out, ⌈H/stride⌉, ⌈W/stride⌉)."""
        out: Tensor = self.act(self.norm(self.conv(x)))
        return out
