"""The convolutions the network is made of: convolution + batch norm (+ activation)."""

from __future__ import annotations

from torch import Tensor, nn


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
