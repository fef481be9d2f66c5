"""MedMamba: convolution and state-space branches side by side, for medical image classification.

Paper: `MedMamba: Vision Mamba for Medical Image Classification` - https://arxiv.org/abs/2403.03849
An own implementation with the parameter names and shapes of the authors' (YubiaoYue/MedMamba), so
that their checkpoints load. Depths and widths follow their code where paper and code disagree.

Letters: B batch, H and W map height and width, C a stage's channels, L = H·W.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from timm.layers import DropPath
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from baselines.medmamba.ss2d import SS2D


class PatchEmbed(nn.Module):
    """A 4×4 stride-4 convolution, then LayerNorm; channels last from here on."""

    def __init__(self, in_chans: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_chans, width, kernel_size=4, stride=4)
        self.norm = nn.LayerNorm(width)

    def forward(self, images: Tensor) -> Tensor:
        x = self.proj(images.contiguous(memory_format=torch.channels_last))
        normed: Tensor = self.norm(x.permute(0, 2, 3, 1))  # (B, H, W, C)
        return normed


class PatchMerging(nn.Module):
    """Each 2×2 neighbourhood becomes one pixel of twice the channels; an odd last side is cut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, height, width, channels = x.shape
        x = x[:, : height // 2 * 2, : width // 2 * 2]
        x = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
        # (even row, even column), (odd, even), (even, odd), (odd, odd)
        x = x.permute(0, 1, 3, 4, 2, 5).flatten(3)  # (B, H/2, W/2, 4C)
        merged: Tensor = self.reduction(self.norm(x))
        return merged


class SSConvSSM(nn.Module):
    """Half the channels through convolutions, half through SS2D, interleaved; residual."""

    def __init__(self, width: int, drop_path_rate: float) -> None:
        super().__init__()
        half = width // 2
        self.ln_1 = nn.LayerNorm(half)
        self.self_attention = SS2D(half)
        self.drop_path = DropPath(drop_path_rate)
        self.grad_checkpointing = False
        self.conv33conv33conv11 = nn.Sequential(
            nn.BatchNorm2d(half),
            nn.Conv2d(half, half, kernel_size=3, padding=1),
            nn.BatchNorm2d(half),
            nn.ReLU(),
            nn.Conv2d(half, half, kernel_size=3, padding=1),
            nn.BatchNorm2d(half),
            nn.ReLU(),
            nn.Conv2d(half, half, kernel_size=1),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:  # (B, H, W, C)
        left, right = x.chunk(2, dim=-1)
        # Channels last in memory too, which is what convolutions on CPUs and tensor cores like.
        left = left.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        convolved = self.conv33conv33conv11(left).permute(0, 2, 3, 1)  # (B, H, W, C/2)
        if self.grad_checkpointing and self.training:
            # The scan branch alone, which holds most of the memory: run twice, the batch norms of
            # the other branch would count every batch twice.
            scanned = checkpoint(self._scan_branch, right, use_reentrant=False)
        else:
            scanned = self._scan_branch(right)
        # Channel 2c from the convolutions, 2c + 1 from the scans.
        return x + torch.stack((convolved, scanned), dim=-1).flatten(-2)

    def _scan_branch(self, x: Tensor) -> Tensor:  # (B, H, W, C/2)
        out: Tensor = self.drop_path(self.self_attention(self.ln_1(x)))
        return out


class Stage(nn.Module):
    """SS-Conv-SSM blocks, then patch merging, but for the last stage."""

    def __init__(self, width: int, drop_path_rates: Sequence[float], *, merge: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(SSConvSSM(width, rate) for rate in drop_path_rates)
        self.downsample = PatchMerging(width) if merge else None

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class MedMamba(nn.Module):
    """The network; see the module's docstring.

    Args:
        num_classes: outputs of the head; 0 for no head.
        in_chans: channels of the images.
        depths: blocks per stage.
        widths: channels per stage, each twice the one before.
        drop_rate: dropout before the head.
        drop_path_rate: of the last block; it rises linearly from 0.

    Raises:
        ValueError: widths that patch merging cannot make.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_chans: int = 3,
        *,
        depths: Sequence[int] = (2, 2, 4, 2),
        widths: Sequence[int] = (96, 192, 384, 768),
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
    ) -> None:
        super().__init__()
        if list(widths) != [widths[0] * 2**i for i in range(len(depths))] or widths[0] % 2:
            raise ValueError(f"widths must be even and double from stage to stage, got {widths}")
        self.num_classes, self.drop_rate = num_classes, drop_rate
        self.num_features = self.head_hidden_size = widths[-1]
        self.patch_embed = PatchEmbed(in_chans, widths[0])
        rates = torch.linspace(0, drop_path_rate, sum(depths), device="cpu").tolist()
        starts = [sum(depths[:i]) for i in range(len(depths))]
        self.layers = nn.ModuleList(
            Stage(width, rates[start : start + depth], merge=width != widths[-1])
            for width, start, depth in zip(widths, starts, depths, strict=True)
        )
        self.head = _head(widths[-1], num_classes)
        self.apply(_init_weights)

    def forward_features(self, images: Tensor) -> Tensor:
        """Images (B, in_chans, ·, ·) to features (B, H, W, C).

        Raises:
            ValueError: an image too small for the stages, so that no pixel is left.
        """
        smallest = 4 * 2 ** (len(self.layers) - 1)
        if min(images.shape[-2:]) < smallest:
            raise ValueError(
                f"images of {images.shape[-2]} × {images.shape[-1]} px leave no pixel for the last "
                f"stage; use at least {smallest} × {smallest} px"
            )
        x = self.patch_embed(images)
        for stage in self.layers:
            x = stage(x)
        features: Tensor = x
        return features

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Features (B, H, W, C) to logits (B, num_classes), or to the pooled (B, C)."""
        pooled = F.dropout(features.mean((1, 2)), self.drop_rate, self.training)
        logits: Tensor = pooled if pre_logits else self.head(pooled)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(images))

    def get_classifier(self) -> nn.Module:
        """The head."""
        return self.head

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """A fresh head for ``num_classes``; pooling is always the average.

        Raises:
            ValueError: another pooling is asked for.
        """
        if global_pool not in (None, "avg"):
            raise ValueError(f"MedMamba pools by 'avg' alone, got global_pool={global_pool!r}")
        weight = next(self.parameters())
        self.num_classes = num_classes
        self.head = _head(self.num_features, num_classes).to(weight.device, weight.dtype)
        _init_weights(self.head)

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Recompute each block's scan branch in the backward pass instead of keeping it."""
        for module in self.modules():
            if isinstance(module, SSConvSSM):
                module.grad_checkpointing = enable

    def no_weight_decay(self) -> set[str]:
        """The scan's A and D, in timm's manner."""
        last = {"A_logs", "Ds"}
        return {name for name, _ in self.named_parameters() if name.split(".")[-1] in last}

    def group_matcher(self, coarse: bool = False) -> dict[str, object]:
        """Parameter groups for layer-wise learning rates, in timm's manner."""
        blocks = r"^layers\.(\d+)" if coarse else r"^layers\.(\d+)\.(?:blocks\.(\d+)|downsample)"
        return {"stem": r"^patch_embed", "blocks": blocks}


def _head(width: int, num_classes: int) -> nn.Module:
    return nn.Linear(width, num_classes) if num_classes > 0 else nn.Identity()


def _init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
