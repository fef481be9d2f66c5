"""The arguments that decide the network, checked once, at the edge."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, get_args

from medspectralnet.attention import AttentionKind
from medspectralnet.streams import Streams

STAGES = 4  # at strides 4, 8, 16 and 32


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a MedSpectralNet is built from, apart from its input and its classes.

    Raises:
        ValueError: arguments that do not fit together; names the argument and what would fit.
    """

    widths: tuple[int, ...] = (32, 64, 208, 544)
    depths: tuple[int, ...] = (1, 2, 3, 2)
    heads: tuple[int, ...] = (2, 4, 8, 17)
    pools: tuple[int, ...] = (8, 4, 2, 1)  # largest pooling of the low band, by stage
    grid: int = 7  # tokens a side below which the low band is not pooled further
    stem_width: int = 16
    kernel_size: int = 5  # of the local stream
    mlp_ratio: float = 3.0
    gate_reduction: int = 16
    streams: Streams = "both"
    attention: AttentionKind = "linear"
    context_gate: bool = True
    frequency_split: bool = True

    def __post_init__(self) -> None:
        for name in ("widths", "depths", "heads", "pools"):
            values = tuple(getattr(self, name))
            object.__setattr__(self, name, values)  # a list, as JSON gives it, is as good
            if len(values) != STAGES or not all(_is_positive_int(v) for v in values):
                raise ValueError(
                    f"{name}: give {STAGES} positive integers, one a stage, not {values}"
                )
        for name in ("grid", "stem_width", "kernel_size", "gate_reduction"):
            if not _is_positive_int(getattr(self, name)):
                raise ValueError(f"{name}: give a positive integer, not {getattr(self, name)!r}")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size: give an odd size such as 5, not {self.kernel_size}")
        if self.mlp_ratio <= 0:
            raise ValueError(f"mlp_ratio: give a number above 0, not {self.mlp_ratio}")
        for width, heads in zip(self.widths, self.heads, strict=True):
            if width % (2 * heads):
                near = max(1, round(width / (2 * heads))) * 2 * heads
                raise ValueError(
                    f"widths: {width} does not split over {heads} heads with keys half as wide; "
                    f"give a multiple of {2 * heads}, such as {near}, or other heads"
                )
        for name, choices in (
            ("streams", get_args(Streams)),
            ("attention", get_args(AttentionKind)),
        ):
            if getattr(self, name) not in choices:
                known = ", ".join(choices)
                raise ValueError(f"{name}: give one of {known}, not {getattr(self, name)!r}")

    @classmethod
    def names(cls) -> frozenset[str]:
        """The arguments' names."""
        return frozenset(field.name for field in fields(cls))


def _is_positive_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
