"""ContextGate: fuse maps of several scales, channel by channel, by what the whole image shows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def upsample_to(coarse: Tensor, fine: Tensor) -> Tensor:
    """``coarse`` (B, C, ·, ·) repeated to the size of ``fine``."""
    if coarse.shape[-2:] == fine.shape[-2:]:
        return coarse
    return F.interpolate(coarse, size=fine.shape[-2:], mode="nearest")


def squeezed_width(channels: int, reduction: int) -> int:
    """C / ``reduction``, but 8 at least: of one or two units a ReLU may kill all for good."""
    return max(8, channels // reduction)


class ContextGate(nn.Module):
    """Weighted sum of S maps; each channel's S weights are positive and sum to one.

    The weights come from the pooled context of all maps (squeeze, ReLU, softmax over the maps);
    for two maps that is g·a + (1−g)·b with g a sigmoid.

    Args:
        channels: C of every map.
        sources: S, how many maps are fused.
        reduction: the squeezed context has C / ``reduction`` channels, 8 at least.
    """

    def __init__(self, channels: int, sources: int, *, reduction: int) -> None:
        super().__init__()
        hidden = squeezed_width(channels, reduction)
        self.squeeze = nn.Linear(sources * channels, hidden)
        self.weigh = nn.Linear(hidden, sources * channels)
        self.sources = sources

    def weights(self, maps: Sequence[Tensor]) -> Tensor:
        """S maps (B, C, ·, ·) → their weights (B, S, C, 1, 1)."""
        context = torch.cat([m.mean(dim=(2, 3)) for m in maps], dim=1)  # (B, S·C)
        logits: Tensor = self.weigh(F.relu(self.squeeze(context)))
        logits = logits.view(-1, self.sources, maps[0].shape[1], 1, 1)
        return logits.softmax(dim=1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Fuse maps (B, C, H_s, W_s); the first sets the size, a coarser one is up-sampled."""
        weights = self.weights(maps).unbind(dim=1)
        fused = upsample_to(maps[-1] * weights[-1], maps[0])  # weighted while it is still small
        for one, weight in zip(maps[:-1], weights[:-1], strict=True):
            fused = torch.addcmul(fused, one, weight)
        return fused


class PlainSum(nn.Module):
    """The ablation of ContextGate: every map counts the same."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Sum maps (B, C, H_s, W_s) at the size of the first."""
        fused = maps[0]
        for one in maps[1:]:
            fused = fused + upsample_to(one, fused)
        return fused


def make_gate(enabled: bool, channels: int, sources: int, *, reduction: int) -> nn.Module:
    """A ContextGate, or the plain sum where it is ablated."""
    if not enabled:
        return PlainSum()
    return ContextGate(channels, sources, reduction=reduction)
