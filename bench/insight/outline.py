"""A MedSpectralNet as it was built: what its parts are, what passes through them, what they cost.

Plain values, so that the drawing needs no torch. Shapes are ``(channels, height, width)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Shape = tuple[int, int, int]

PARTS: Mapping[str, str] = {
    "stem": "stem",
    "stages.downsample": "down-sampling",
    "stages.blocks.mixer.local_stream": "local stream",
    "stages.blocks.mixer.global_stream": "global stream",
    "stages.blocks.mixer.gate": "ContextGate",
    "stages.blocks.mixer.project": "projection",
    "stages.blocks.mlp": "MLP",
    "fusion": "scale fusion",
    "head": "classifier",
}
"""The parts that costs are told of, by the beginning of their modules' names without numbers."""


@dataclass(frozen=True)
class Size:
    """Elements of trainable parameters, and MACs of one image."""

    parameters: int
    macs: int


@dataclass(frozen=True)
class LocalOutline:
    """The local stream; ``split``: it sees the high band alone."""

    kernel_size: int
    split: bool


@dataclass(frozen=True)
class GlobalOutline:
    """The global stream at this image size.

    Attributes:
        pool: by which the low band is down-sampled; 1: it sees the whole band.
        tokens: rows and columns that attention works on.
        attention: ``linear`` or ``softmax``.
    """

    pool: int
    tokens: tuple[int, int]
    heads: int
    key_width: int  # of one head
    attention: str


@dataclass(frozen=True)
class GateOutline:
    """A fusion of several maps: by a ContextGate of so many squeezed units, or by a plain sum."""

    sources: int
    units: int | None  # None: a plain sum


@dataclass(frozen=True)
class StageOutline:
    """One stage; the parts of its blocks are alike."""

    shape: Shape
    stride: int
    downsampled: bool
    blocks: int
    local: LocalOutline | None
    whole: GlobalOutline | None
    gate: GateOutline | None  # None: one stream alone, nothing to fuse
    mlp_width: int
    size: Size


@dataclass(frozen=True)
class Outline:
    """The whole network for images of one size.

    Attributes:
        parts: what each of ``PARTS`` costs, over all stages.
        removes: what an ablation takes away, in its own words; empty for a whole network.
    """

    model: str
    image: Shape
    classes: int
    stem: Shape
    stages: tuple[StageOutline, ...]
    fusion: GateOutline
    fused: Shape
    size: Size
    parts: Mapping[str, Size]
    removes: str = ""

    @property
    def absent(self) -> tuple[str, ...]:
        """What a whole MedSpectralNet has and this one lacks."""
        first = self.stages[0]
        lacking = {
            "local stream": first.local is None,
            "global stream": first.whole is None,
            "ContextGate": self.fusion.units is None,
            "frequency split": first.local is not None and not first.local.split,
            "linear attention": first.whole is not None and first.whole.attention != "linear",
        }
        return tuple(name for name, missing in lacking.items() if missing)
