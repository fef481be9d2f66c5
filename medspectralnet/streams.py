"""DualStream: local detail and global context of one map, extracted side by side."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from medspectralnet.attention import AttentionKind, LinearAttention
from medspectralnet.gate import make_gate, upsample_to
from medspectralnet.layers import ConvNorm
from medspectralnet.spectral import BandConv2d, low_band, pool_factor

Streams = Literal["both", "local", "global"]


class LocalStream(nn.Module):
    """High band → depthwise convolution → norm → ReLU: fine texture, pixel by pixel."""

    def __init__(self, channels: int, *, kernel_size: int, split: bool) -> None:
        super().__init__()
        conv = BandConv2d(channels, kernel_size, split=split)
        self.filter = ConvNorm(channels, channels, kernel_size, conv=conv, act=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        out: Tensor = self.filter(x)
        return out


class PositionConv(nn.Module):
    """x + depthwise 3×3 of x: tells attention where a token lies (zero padding marks the edge).

    After Chu et al., "Conditional Positional Encodings" (2021), https://arxiv.org/abs/2102.10882.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = ConvNorm(channels, channels, 3, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        out: Tensor = x + self.conv(x)
        return out


class GlobalStream(nn.Module):
    """Low band → position → linear attention: how the parts of the image lie to each other.

    Args:
        channels: C.
        heads: of the attention.
        attention: linear, or softmax for the ablation.
        pool: largest pooling of the low band; 1 sees the whole band.
        grid: tokens a side below which the map is not pooled further.
    """

    def __init__(
        self, channels: int, heads: int, *, attention: AttentionKind, pool: int, grid: int
    ) -> None:
        super().__init__()
        self.pool = pool
        self.grid = grid
        self.position = PositionConv(channels)
        self.attention = LinearAttention(channels, heads, kind=attention)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, ⌈H/p⌉, ⌈W/p⌉), p the pooling chosen for this size."""
        factor = pool_factor(min(x.shape[-2:]), largest=self.pool, grid=self.grid)
        low = low_band(x, factor)
        out: Tensor = self.attention(self.position(low))
        return out


class DualStream(nn.Module):
    """Local ∥ global, fused by a ContextGate, projected; the token mixer of a block.

    ``streams`` other than ``both`` is the ablation that keeps one stream and has nothing to fuse.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        *,
        streams: Streams,
        attention: AttentionKind,
        context_gate: bool,
        frequency_split: bool,
        kernel_size: int,
        pool: int,
        grid: int,
        gate_reduction: int,
    ) -> None:
        super().__init__()
        self.local_stream: nn.Module | None = None
        self.global_stream: nn.Module | None = None
        self.gate: nn.Module | None = None
        if streams != "global":
            self.local_stream = LocalStream(
                channels, kernel_size=kernel_size, split=frequency_split
            )
        if streams != "local":
            self.global_stream = GlobalStream(
                channels,
                heads,
                attention=attention,
                pool=pool if frequency_split else 1,
                grid=grid,
            )
        if streams == "both":
            self.gate = make_gate(context_gate, channels, 2, reduction=gate_reduction)
        self.project = ConvNorm(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        projected: Tensor = self.project(self._mix(x))
        return upsample_to(projected, x)  # a no-op unless the global stream stands alone

    def _mix(self, x: Tensor) -> Tensor:
        maps = [s(x) for s in (self.local_stream, self.global_stream) if s is not None]
        mixed: Tensor = maps[0] if self.gate is None else self.gate(maps)
        return mixed
