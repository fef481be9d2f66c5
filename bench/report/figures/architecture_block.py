"""The panel that shows what is inside a block: two streams, their fusion, two residuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from bench.insight.outline import GateOutline, GlobalOutline, LocalOutline, Outline
from bench.report.figures.architecture_panels import LOOKS
from bench.report.figures.sketch import ABSENT, PLAIN, PLUS, Look, Pen

_WIDE, _TALL = 1.3, 0.33  # inches: a box of a stream
_APART = 1.46  # middles of the two streams
_GATE, _FLAT, _STEP = 0.46, 0.22, 0.1  # heights of the fusion, of a plain box, of an arrow
_TAIL = 2 * (2 * _STEP + _FLAT + 2 * PLUS) + _STEP + 0.06  # what stands below the fusion

Lines = Sequence[str]


@dataclass(frozen=True)
class _Lane:
    """A stream, downwards: its boxes, or the one dashed box of a stream that is not there."""

    x: float
    boxes: Sequence[Lines]
    look: Look

    @property
    def absent(self) -> bool:
        return self.look is ABSENT

    def draw(self, pen: Pen, split: float, bottom: float) -> None:
        """From the split of the map down to the fusion, whose top is ``bottom``."""
        gap = (split - bottom - _TALL * len(self.boxes)) / (len(self.boxes) + 1)
        places = [split - gap - _TALL / 2 - (gap + _TALL) * n for n in range(len(self.boxes))]
        above = split
        for lines, y in zip(self.boxes, places, strict=True):
            pen.arrow((self.x, above), (self.x, y + _TALL / 2), absent=self.absent)
            pen.box(self.x, y, _WIDE, _TALL, lines, self.look)
            above = y - _TALL / 2
        pen.arrow((self.x, above), (self.x, bottom), absent=self.absent)


def block_panel(axes: Axes, outline: Outline, width: float, height: float) -> None:
    """The block of the first stage; those of the others differ in numbers, which a table gives."""
    pen, stage = Pen(axes), outline.stages[0]
    pen.text(0.2, height - 0.07, "inside a block", weight="bold")
    middle, side = (width + 0.24) / 2, 0.14
    local, whole = middle - _APART / 2, middle + _APART / 2
    pen.text(middle, height - 0.22, "map of C channels", ha="center")
    entry, split, gate = height - 0.34, height - 0.42, _TAIL + _GATE / 2
    pen.line((middle, height - 0.29), (middle, split))
    pen.line((local, split), (whole, split))
    for lane in (
        _lane(local, "local stream", _local_boxes(stage.local), stage.local is None),
        _lane(whole, "global stream", _global_boxes(stage.whole), stage.whole is None),
    ):
        lane.draw(pen, split, gate + _GATE / 2)
    _fusion(pen, middle, gate, stage.gate)
    ratio = f"{stage.mlp_width / stage.shape[0]:.3g}"
    y = gate - _GATE / 2
    for told in ("projection: 1×1", f"MLP: 1×1 to {ratio} C, ReLU, 1×1"):
        pen.arrow((middle, y), (middle, y - _STEP))
        y -= _STEP + _FLAT
        pen.box(middle, y + _FLAT / 2, 2.0, _FLAT, [told], PLAIN, bold=False)
        pen.arrow((middle, y), (middle, y - _STEP))
        y -= _STEP + PLUS
        pen.plus(middle, y)
        pen.arrow((middle, entry), (side, entry), (side, y), (middle - PLUS, y))
        y -= PLUS
        entry = y - 0.04
    pen.arrow((middle, y), (middle, y - _STEP))


def _lane(x: float, name: str, boxes: Sequence[Lines], absent: bool) -> _Lane:
    return _Lane(x, boxes, ABSENT if absent else LOOKS[name])


def _local_boxes(local: LocalOutline | None) -> list[Lines]:
    if local is None:
        return [("no local stream",)]
    k = f"{local.kernel_size}×{local.kernel_size}"
    band = ("high band", f"x − mean of {k}") if local.split else ("whole band", "no split")
    return [band, ("local stream", f"{k} depthwise, ReLU")]


def _global_boxes(whole: GlobalOutline | None) -> list[Lines]:
    if whole is None:
        return [("no global stream",)]
    linear = whole.attention == "linear"
    return [
        ("low band", "mean of p × p pixels") if whole.pool > 1 else ("whole band", "not pooled"),
        ("position", "x + 3×3 depthwise"),
        (
            "linear attention" if linear else "softmax attention",
            "φ(Q)(φ(K)ᵀV)" if linear else "softmax(QKᵀ/√D)V",
        ),
    ]


def _fusion(pen: Pen, x: float, y: float, gate: GateOutline | None) -> None:
    look = ABSENT
    if gate is None:
        lines = ["no ContextGate: nothing to fuse"]
    elif gate.units is None:
        lines = ["no ContextGate", "local + global", "global stream up-sampled"]
    else:
        look = LOOKS["ContextGate"]
        lines = [
            "ContextGate",
            "g · local + (1 − g) · global",
            "g by channel; global stream up-sampled",
        ]
    pen.box(x, y, _APART + _WIDE, _GATE, lines, look)
