"""The network as it was built, drawn from its outline: stages, a block, sizes and costs.

One layout serves two widths: four panels of a column's width stand in pairs on a page, else one
below the other. Nothing is drawn that the outline does not say; what an ablation lacks is dashed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.insight.outline import Outline, Size, StageOutline
from bench.records.store import write_atomic
from bench.report.figures.architecture_block import block_panel
from bench.report.figures.architecture_panels import (
    costs_panel,
    network_panel,
    sizes_panel,
    told_count,
    told_shape,
)
from bench.report.figures.measuring import paragraph
from bench.report.figures.page import table
from bench.report.figures.planned import Row
from bench.report.figures.saving import FORMATS, picture
from bench.report.figures.sketch import LINE, Pen
from bench.report.figures.style import COLUMN, PAGE, SMALL, new_figure, place, styled, write
from bench.report.figures.style import PLAIN as TITLE

Panel = Callable[[Axes, Outline, float, float], None]

_TALL: tuple[tuple[Panel, float], ...] = (
    (network_panel, 3.6),
    (block_panel, 3.6),
    (sizes_panel, 1.6),
    (costs_panel, 1.6),
)
"""The panels with their heights in inches."""

_MARGIN, _GAP = 0.06, 0.14


def draw_architecture(outline: Outline, width: float = PAGE) -> Figure:
    """The drawing, ``PAGE`` or ``COLUMN`` wide; called inside ``style.styled``."""
    columns = 2 if width > COLUMN else 1
    told = paragraph(_told(outline), width - 2 * _MARGIN, SMALL)
    rows = [_TALL[i : i + columns] for i in range(0, len(_TALL), columns)]
    head = 0.22 + LINE * len(told)
    height = head + sum(max(tall for _, tall in row) + _GAP for row in rows)
    figure = new_figure(width, height)
    write(figure, _MARGIN, height - 0.05, outline.model, va="top", weight="bold", fontsize=TITLE)
    for number, line in enumerate(told):
        write(figure, _MARGIN, height - 0.22 - LINE * number, line, va="top")
    wide = (width - (columns + 1) * _MARGIN - (columns - 1) * _GAP) / columns
    y, letter = height - head, ord("a")
    for row in rows:
        tall = max(tall for _, tall in row)
        y -= tall + _GAP
        for column, (panel, _) in enumerate(row):
            axes = _blank(figure, _MARGIN + column * (wide + _GAP), y + _GAP / 2, wide, tall)
            Pen(axes).text(0, tall - 0.07, chr(letter), weight="bold", fontsize=TITLE)
            panel(axes, outline, wide, tall)
            letter += 1
    return figure


def write_architecture(outline: Outline, folder: Path, *, column: bool = False) -> list[Path]:
    """Write the drawing in every format and its numbers; returns their paths."""
    name = f"{outline.model}-column" if column else outline.model
    with styled():
        drawn = draw_architecture(outline, COLUMN if column else PAGE)
        written = {ending: picture(drawn, ending) for ending in FORMATS}
    written["csv"] = table(architecture_rows(outline)).encode()
    for ending, content in written.items():
        write_atomic(folder / f"{name}.{ending}", content)
    return [folder / f"{name}.{ending}" for ending in written]


def architecture_rows(outline: Outline) -> list[Row]:
    """Every number of the drawing, for the CSV beside it: stage by stage, then part by part."""
    stages = [_stage_row(number, stage) for number, stage in enumerate(outline.stages, start=1)]
    parts = [_size_row(name, size) for name, size in outline.parts.items()]
    return [*stages, *parts, _size_row("all", outline.size)]


def _size_row(name: str, size: Size) -> Row:
    return {"part": name, "parameters": size.parameters, "MACs": size.macs}


def _stage_row(number: int, stage: StageOutline) -> Row:
    local, whole, gate = stage.local, stage.whole, stage.gate
    sees = None if local is None else "high band" if local.split else "whole band"
    return _size_row(f"stage {number}", stage.size) | {
        "map": told_shape(stage.shape),
        "stride": stage.stride,
        "blocks": stage.blocks,
        "local kernel": local.kernel_size if local else None,
        "local stream sees": sees,
        "pooled by": whole.pool if whole else None,
        "tokens": f"{whole.tokens[0]}×{whole.tokens[1]}" if whole else None,
        "heads": whole.heads if whole else None,
        "key width": whole.key_width if whole else None,
        "attention": whole.attention if whole else None,
        "gate units": gate.units if gate else None,
        "MLP width": stage.mlp_width,
    }


def _told(outline: Outline) -> str:
    size = outline.size
    told = (
        f"{told_shape(outline.image)} images, {outline.classes} classes: "
        f"{told_count(size.parameters)} parameters, {told_count(size.macs)} MACs"
    )
    if outline.removes:
        return f"{told}. Taken away (dashed): {outline.removes}."
    if outline.absent:
        return f"{told}. Not there (dashed): {', '.join(outline.absent)}."
    return f"{told}."


def _blank(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes in inches without a frame."""
    axes = place(figure, left, bottom, width, height)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.axis("off")
    return axes
