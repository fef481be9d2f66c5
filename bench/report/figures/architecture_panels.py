"""Panels of the network's drawing: the way through it, the stages' sizes, what its parts cost."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bench.insight.outline import GateOutline, Outline, Shape, Size, StageOutline
from bench.report.figures.measuring import width_of
from bench.report.figures.sketch import ABSENT, LINE, PLAIN, Look, Pen
from bench.report.figures.style import PALE, SMALL

LOOKS = {
    "local stream": Look("#fbe3b4", "#a87400"),
    "global stream": Look("#bcdcf2", "#0072B2"),
    "ContextGate": Look("#7fc4ae", "#00694d"),
    "scale fusion": Look("#7fc4ae", "#00694d"),
}
"""Of the parts that an ablation can change; every other part is plain."""

_SIZES = ("stage", "tokens", "pooled", "heads × key", "gate units", "MLP width")

_SIZES_TOLD = (
    "tokens: what attention works on; pooled: p × p, of the low band;",
    "key: width of a head's key; gate units: of the squeezed context",
)


def network_panel(axes: Axes, outline: Outline, width: float, height: float) -> None:
    """From the image to the classes, downwards; to the right the stages' way to the fusion."""
    pen, x, wide, rail = Pen(axes), 0.66, 1.16, width - 0.06
    pen.text(0.2, height - 0.07, "the network", weight="bold")
    rows = _network_rows(outline)
    fusion = len(rows) - 2
    pitch = (height - 0.2) / (len(rows) + 0.3)
    tall = max(0.68 * pitch, 2.2 * LINE)
    places = [
        height - 0.2 - pitch * (0.5 + n + (0.3 if n >= fusion else 0)) for n in range(len(rows))
    ]
    above = places[fusion] + tall / 2 + 0.17
    for number, ((lines, first, second), y) in enumerate(zip(rows, places, strict=True)):
        look = PLAIN if number != fusion else _fusion_look(outline.fusion)
        pen.box(x, y, wide, tall, lines, look)
        pen.text(1.38, y + LINE / 2, first)
        pen.text(1.38, y - LINE / 2, second, color=PALE)
        if number not in (fusion - 1, len(rows) - 1):
            pen.arrow((x, y - tall / 2), (x, places[number + 1] + tall / 2))
        if 2 <= number < fusion:
            low, step = y - tall / 2 - 0.03, x + wide / 2 + 0.07
            pen.line((x + wide / 2, y), (step, y), (step, low), (rail, low), (rail, above))
    pen.arrow((rail, above), (x, above), (x, places[fusion] + tall / 2))


def _network_rows(outline: Outline) -> list[tuple[list[str], str, str]]:
    """Of each part: what stands in its box, what it gives, what it costs."""
    parts, factors = outline.parts, [2**n for n in reversed(range(len(outline.stages)))]
    pooled = ", ".join(map(str, factors))
    fused = "summed" if outline.fusion.units is None else "ContextGate"
    return [
        (["image"], told_shape(outline.image), "as it is fed"),
        (["stem"], told_shape(outline.stem), _told_size(parts["stem"])),
        *(_stage_lines(number, stage) for number, stage in enumerate(outline.stages, start=1)),
        (
            ["scale fusion", fused],
            f"pooled {pooled}; 1×1 → {told_shape(outline.fused)}",
            _told_size(parts["scale fusion"]),
        ),
        (["classifier"], f"mean → {outline.classes} classes", _told_size(parts["classifier"])),
    ]


def sizes_panel(axes: Axes, outline: Outline, width: float, height: float) -> None:
    """A table: what differs from stage to stage at this image size."""
    pen, y = Pen(axes), height - 0.07
    pen.text(0.2, y, "the blocks of each stage", weight="bold")
    columns = [0.0, 0.46, 0.98, 1.48, 2.18, 2.78]
    y -= 0.22
    for x, name in zip(columns, _SIZES, strict=True):
        pen.text(x, y, name, color=PALE)
    pen.line((0, y - 0.09), (width, y - 0.09))
    for number, stage in enumerate(outline.stages, start=1):
        y -= 0.2
        for x, cell in zip(columns, _size_cells(number, stage), strict=True):
            pen.text(x, y, cell)
    for number, line in enumerate(_SIZES_TOLD):
        pen.text(0, y - 0.24 - LINE * number, line, color=PALE)


def costs_panel(axes: Axes, outline: Outline, width: float, height: float) -> None:
    """Bars: parameters and MACs of each part, over all stages."""
    pen, left, middle = Pen(axes), 0.84, (width + 0.84) / 2
    pen.text(0.2, height - 0.07, "what the parts cost", weight="bold")
    pen.text(left, height - 0.27, "parameters", color=PALE)
    pen.text(middle, height - 0.27, "MACs", color=PALE)
    pitch = (height - 0.36) / len(outline.parts)
    room = middle - left - width_of("0.000 M", SMALL) - 0.1
    for number, (name, size) in enumerate(outline.parts.items()):
        y = height - 0.36 - pitch * (number + 0.5)
        absent = not size.parameters
        pen.text(left - 0.06, y, name, ha="right", color=PALE if absent else "black")
        look = LOOKS.get(name, PLAIN)
        for x, value, whole in (
            (left, size.parameters, max(s.parameters for s in outline.parts.values())),
            (middle, size.macs, max(s.macs for s in outline.parts.values())),
        ):
            long = room * value / whole
            bar = Rectangle((x, y - 0.042), long, 0.084, facecolor=look.fill, edgecolor=look.edge)
            bar.set_linewidth(0.6)
            if value:
                axes.add_patch(bar)
            told = told_count(value) if value else "none"
            pen.text(x + long + 0.04, y, told, color=PALE if not value else "black")


def told_shape(shape: Shape) -> str:
    """``32 × 56 × 56``: channels, height, width."""
    return " × ".join(map(str, shape))


def told_count(count: int) -> str:
    """To three digits, with thousands or millions said: ``5.14 k``, ``8.57 M``."""
    for unit, name in ((10**6, " M"), (10**3, " k")):
        if count >= unit:
            value = count / unit
            return f"{value:.0f}{name}" if value >= 100 else f"{value:.3g}{name}"
    return str(count)


def _told_size(size: Size) -> str:
    return f"{told_count(size.parameters)} parameters, {told_count(size.macs)} MACs"


def _stage_lines(number: int, stage: StageOutline) -> tuple[list[str], str, str]:
    blocks = "1 block" if stage.blocks == 1 else f"{stage.blocks} blocks"
    entered = "3×3 stride 2 → " if stage.downsampled else ""
    shape = f"{entered}{told_shape(stage.shape)}"
    return ([f"stage {number}", blocks], shape, _told_size(stage.size))


def _fusion_look(gate: GateOutline) -> Look:
    return ABSENT if gate.units is None else LOOKS["scale fusion"]


def _size_cells(number: int, stage: StageOutline) -> list[str]:
    whole, gate, none = stage.whole, stage.gate, "–"
    return [
        str(number),
        f"{whole.tokens[0]} × {whole.tokens[1]}" if whole else none,
        ("no" if whole.pool == 1 else f"{whole.pool} × {whole.pool}") if whole else none,
        f"{whole.heads} × {whole.key_width}" if whole else none,
        str(gate.units) if gate is not None and gate.units is not None else none,
        str(stage.mlp_width),
    ]
