"""MedSpectralNet: a small dual-stream network for medical images, as a timm model.

After the public abstract of "MedSpectralNet: A lightweight convolutional neural network
architecture for multi-modal image classification"; what the abstract leaves open is this
project's own design (docs/medspectralnet.md). Letters: B batch, C channels, H × W the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from timm.layers import ClassifierHead, DropPath, calculate_drop_path_rates
from timm.models import checkpoint_seq, register_notrace_module
from timm.models._features import feature_take_indices
from torch import Tensor, nn
from torch.nn import functional as F

from medspectralnet.config import STAGES, Config
from medspectralnet.fuse import fuse
from medspectralnet.gate import make_gate
from medspectralnet.layers import ConvNorm
from medspectralnet.spectral import low_band
from medspectralnet.streams import DualStream

MIN_SIDE = 28  # pixels; MedMNIST's own size


def check_input(x: Tensor, in_chans: int) -> None:
    """Refuse what the network cannot see: wrong rank, channels, or a side under 28 pixels."""
    if x.ndim != 4 or x.shape[1] != in_chans:
        raise ValueError(
            f"input: shape {tuple(x.shape)} does not fit in_chans={in_chans}; "
            f"give (batch, {in_chans}, height, width), or build with the channels you have"
        )
    if min(x.shape[-2:]) < MIN_SIDE:
        raise ValueError(
            f"input: {x.shape[-2]}×{x.shape[-1]} pixels is too small; "
            f"give at least {MIN_SIDE}×{MIN_SIDE}"
        )


def _check_arguments(num_classes: int, in_chans: int, *rates: float) -> None:
    if in_chans < 1:
        raise ValueError(f"in_chans: give a positive integer, not {in_chans}")
    if num_classes < 0:
        raise ValueError(f"num_classes: give 0 or more, not {num_classes}")
    for name, rate in zip(("drop_rate", "drop_path_rate"), rates, strict=True):
        if not 0 <= rate < 1:
            raise ValueError(f"{name}: give a rate in [0, 1), not {rate}")


class Stem(nn.Module):
    """Two 3×3 stride-2 convolutions; no pooling, so that one-pixel texture gets through."""

    def __init__(self, in_chans: int, stem_width: int, width: int) -> None:
        super().__init__()
        self.in_chans = in_chans
        self.conv1 = ConvNorm(in_chans, stem_width, 3, stride=2, act=True)
        self.conv2 = ConvNorm(stem_width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_chans, H, W) → (B, C, ⌈H/4⌉, ⌈W/4⌉)."""
        check_input(x, self.in_chans)
        out: Tensor = self.conv2(self.conv1(x))
        return out


class Block(nn.Module):
    """x + DualStream(x), then x + MLP(x); the MLP is two 1×1 convolutions."""

    def __init__(self, config: Config, stage: int, drop_path: float) -> None:
        super().__init__()
        width = config.widths[stage]
        hidden = int(width * config.mlp_ratio)
        self.mixer = DualStream(
            width,
            config.heads[stage],
            streams=config.streams,
            attention=config.attention,
            context_gate=config.context_gate,
            frequency_split=config.frequency_split,
            kernel_size=config.kernel_size,
            pool=config.pools[stage],
            grid=config.grid,
            gate_reduction=config.gate_reduction,
        )
        self.mlp = nn.Sequential(ConvNorm(width, hidden, 1, act=True), ConvNorm(hidden, width, 1))
        self.drop_path = DropPath(drop_path) if drop_path else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        x = self.drop_path(self.mixer(x)).add_(x)  # in place: a fresh map costs more than the sum
        out: Tensor = self.drop_path(self.mlp(x)).add_(x)
        return out


class Stage(nn.Module):
    """Down-sample (but for the first stage), then the blocks."""

    def __init__(self, config: Config, stage: int, drop_paths: Sequence[float]) -> None:
        super().__init__()
        width = config.widths[stage]
        self.downsample = (
            ConvNorm(config.widths[stage - 1], width, 3, stride=2) if stage else nn.Identity()
        )
        self.blocks = nn.Sequential(*(Block(config, stage, rate) for rate in drop_paths))
        self.grad_checkpointing = False

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_before, H, W) → (B, C, ⌈H/2⌉, ⌈W/2⌉); the first stage keeps H × W."""
        x = self.downsample(x)
        if self.grad_checkpointing:
            out: Tensor = checkpoint_seq(self.blocks, x)
        else:
            out = self.blocks(x)
        return out


class ScaleFusion(nn.Module):
    """All stages' maps, brought to the last one's size and width, fused by a ContextGate."""

    def __init__(self, widths: Sequence[int], *, context_gate: bool, gate_reduction: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(ConvNorm(width, widths[-1], 1) for width in widths)
        self.gate = make_gate(context_gate, widths[-1], len(widths), reduction=gate_reduction)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C_s, H_s, W_s), finest first → (B, C, H, W) as the last."""
        last = len(maps) - 1
        pooled = [low_band(m, 2 ** (last - i)) for i, m in enumerate(maps)]
        laterals = [conv(m) for conv, m in zip(self.laterals, pooled, strict=True)]
        return F.relu(self.gate(laterals))


class MedSpectralNet(nn.Module):
    """Dual-stream network with linear attention and ContextGates.

    Args:
        num_classes: classes; 0 leaves out the classifier.
        in_chans: channels of the input.
        global_pool: timm's name of the pooling before the classifier; empty for none.
        drop_rate: dropout before the classifier.
        drop_path_rate: stochastic depth of the last block, rising linearly from 0.
        **config: the fields of :class:`~medspectralnet.config.Config`.

    Raises:
        ValueError: arguments that do not fit together; names the argument and what would fit.
    """

    def __init__(
        self,
        *,
        num_classes: int = 1000,
        in_chans: int = 3,
        global_pool: str = "avg",
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        **config: Any,
    ) -> None:
        super().__init__()
        _check_arguments(num_classes, in_chans, drop_rate, drop_path_rate)
        self.config = Config(**config)
        widths = self.config.widths
        self.num_classes = num_classes
        self.in_chans = in_chans
        self.num_features = self.head_hidden_size = widths[-1]
        self.feature_info = [
            {"num_chs": width, "reduction": 4 * 2**i, "module": f"stages.{i}"}
            for i, width in enumerate(widths)
        ]
        self.stem = Stem(in_chans, self.config.stem_width, widths[0])
        rates = calculate_drop_path_rates(drop_path_rate, list(self.config.depths), stagewise=True)
        self.stages = nn.Sequential(*(Stage(self.config, i, rates[i]) for i in range(STAGES)))
        self.fusion = ScaleFusion(
            widths,
            context_gate=self.config.context_gate,
            gate_reduction=2 * self.config.gate_reduction,
        )
        self.head = ClassifierHead(widths[-1], num_classes, global_pool, drop_rate)
        self.apply(_init_weights)

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_chans, H, W) → (B, num_features, ⌈H/32⌉, ⌈W/32⌉), all scales fused."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        out: Tensor = self.fusion(maps)
        return out

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Features → logits (B, num_classes), or the pooled features (B, num_features)."""
        out: Tensor = self.head(x, pre_logits=pre_logits)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_chans, H, W) → (B, num_classes)."""
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | list[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> Any:
        """The stages' maps as timm gives them: ``(features, maps)``, or ``maps`` alone.

        Args:
            x: (B, in_chans, H, W).
            indices: the last n stages, or which stages; all if None.
            norm: no effect, the maps have no norm of their own.
            stop_early: with ``intermediates_only``, leave out stages behind the last wanted.
            output_fmt: only ``NCHW``.
            intermediates_only: return the maps alone.

        Raises:
            ValueError: another ``output_fmt``.
        """
        if output_fmt != "NCHW":
            raise ValueError(f"output_fmt: give 'NCHW', not {output_fmt!r}")
        wanted, last = feature_take_indices(STAGES, indices)
        x = self.stem(x)
        maps = []
        for i, stage in enumerate(self.stages):
            if stop_early and intermediates_only and i > last:
                break
            x = stage(x)
            maps.append(x)
        intermediates = [m for i, m in enumerate(maps) if i in wanted]
        return intermediates if intermediates_only else (self.fusion(maps), intermediates)

    def get_classifier(self) -> nn.Module:
        """The last linear layer."""
        classifier: nn.Module = self.head.fc
        return classifier

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """A new classifier, and a new global pooling if one is named."""
        self.num_classes = num_classes
        self.head.reset(num_classes, global_pool)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Parameter groups by depth, for layer-wise learning rates."""
        blocks: Any = r"^stages\.(\d+)"
        if not coarse:
            blocks = [
                (r"^stages\.(\d+)\.downsample", (0,)),
                (r"^stages\.(\d+)\.blocks\.(\d+)", None),
                (r"^fusion", (99999,)),
            ]
        return {"stem": r"^stem", "blocks": blocks}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Trade compute for memory: blocks' activations are computed again in backward."""
        for stage in self.stages:
            stage.grad_checkpointing = enable  # type: ignore[assignment]

    def no_weight_decay(self) -> set[str]:
        """Nothing beyond what optimizers leave out by rank (norms, biases)."""
        return set()

    def fuse(self) -> MedSpectralNet:
        """The deploy form, a copy: norms folded, parallel convolutions merged, same outputs."""
        return fuse(self)


for _part in (Stem, DualStream, ScaleFusion):
    register_notrace_module(_part)  # they look at shapes, which timm's torch.fx tracer cannot


def _init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
