"""The drawing of accuracy against cost: numbered points, their intervals, the Pareto front."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.report.figures.axes import log_axis, percent_axis
from bench.report.figures.key import Item, Key, marker_look
from bench.report.figures.measuring import width_of
from bench.report.figures.source import Entry
from bench.report.figures.spreading import Box, spread
from bench.report.figures.style import (
    INK,
    PAGE,
    PALE,
    RIVAL,
    ROLES,
    SMALL,
    SUBJECT,
    new_figure,
    place,
)

if TYPE_CHECKING:
    from bench.report.figures.trade_off import Panel, Place

_LEFT, _RIGHT, _BETWEEN, _TALL = 0.46, 0.06, 0.3, 1.95
_UNDER, _ABOVE, _APART = 0.36, 0.4, 0.16  # inches: below the panels, above, between rows
_LINE = 0.16  # inches: of the legend
_FRONT: Any = (0, (4, 2))
_BARS: dict[str, dict[str, Any]] = {
    "seeds": {"linestyle": "-"},
    "images": {"linestyle": (0, (1, 1))},
}


def draw_panels(
    panels: Sequence[Panel], entries: Sequence[Entry], legend: Mapping[str, str]
) -> Figure:
    """Rows are scores, columns are costs; names stand in the key below.

    Args:
        legend: what the vertical bars say, by what they cover.
    """
    columns = list(dict.fromkeys(panel.x_label for panel in panels))
    rows = list(dict.fromkeys(panel.metric for panel in panels))
    key = Key([Item(e.number, e.label, e.role) for e in entries], PAGE - _LEFT - _RIGHT)
    lines = _legend_lines(_roles(entries), _intervals(legend, panels))
    above = max(_ABOVE, 0.08 + _LINE * len(lines))
    height = above + len(rows) * (_TALL + _APART) + _UNDER + key.height
    figure = new_figure(PAGE, height)
    wide = (PAGE - _LEFT - _RIGHT - _BETWEEN * (len(columns) - 1)) / len(columns)
    for panel in panels:
        column, row = columns.index(panel.x_label), rows.index(panel.metric)
        left = _LEFT + column * (wide + _BETWEEN)
        bottom = height - above - (row + 1) * _TALL - row * _APART
        axes = place(figure, left, bottom, wide, _TALL)
        _panel(axes, panel, (wide, _TALL))
        last = row == len(rows) - 1
        axes.set_xlabel(panel.x_label if last else "")
        axes.tick_params(labelbottom=last, labelleft=column == 0)
        axes.set_ylabel(f"test {panel.metric} (%)" if column == 0 else "")
    key.draw(figure, _LEFT, key.height + 0.02)
    _legends(figure, lines)
    return figure


def _panel(axes: Axes, panel: Panel, inches: tuple[float, float]) -> None:
    places = panel.places
    log_axis(axes, "x", [v for p in places for v in (p.x, p.x_low, p.x_high) if v is not None])
    percent_axis(axes, [v for p in places for v in _reach(p)])
    axes.grid(True, axis="y")
    corners = staircase(places, axes.get_xlim(), axes.get_ylim()[0], panel.more_is_better)
    axes.plot(*corners, color=PALE, linewidth=0.9, linestyle=_FRONT, zorder=1)
    for spot in sorted(places, key=lambda p: p.entry.role is SUBJECT):
        role = spot.entry.role
        if spot.score.low is not None and spot.score.high is not None:
            ends = [100 * spot.score.low, 100 * spot.score.high]
            look = _BARS[spot.score.covers]
            axes.plot([spot.x] * 2, ends, color=role.colour, linewidth=0.7, alpha=0.75, **look)
        if spot.x_low is not None and spot.x_high is not None:
            axes.plot([spot.x_low, spot.x_high], [spot.y] * 2, color=role.colour, linewidth=0.7)
        axes.plot([spot.x], [spot.y], linestyle="none", zorder=3, **marker_look(role))
    _numbers(axes, places, inches, list(zip(*corners, strict=True)))


def _reach(spot: Place) -> list[float]:
    bounds = [spot.score.value, spot.score.low, spot.score.high]
    return [100 * bound for bound in bounds if bound is not None]


def staircase(
    places: Sequence[Place], across: tuple[float, float], bottom: float, more_is_better: bool
) -> tuple[list[float], list[float]]:
    """Corners of the line that no model lies beyond, from edge to edge of the panel."""
    front = sorted((spot for spot in places if spot.on_front), key=lambda spot: spot.x)
    xs, ys = [spot.x for spot in front], [spot.y for spot in front]
    if more_is_better:  # level up to each model, and down behind it
        levels = [*ys, bottom]
        return [across[0], *(x for x in xs for _ in (0, 1))], [
            ys[0],
            *(y for pair in zip(ys, levels[1:], strict=True) for y in pair),
        ]
    levels = [bottom, *ys]
    return [*(x for x in xs for _ in (0, 1)), across[1]], [
        *(y for pair in zip(levels[:-1], ys, strict=True) for y in pair),
        ys[-1],
    ]


def _numbers(
    axes: Axes,
    places: Sequence[Place],
    inches: tuple[float, float],
    front: Sequence[tuple[float, float]],
) -> None:
    """Each point's number beside it, on no other number and no marker."""
    wide, tall = 72 * inches[0], 72 * inches[1]
    to_axes = axes.transData + axes.transAxes.inverted()

    def spot_of(x: float, y: float) -> tuple[float, float]:
        across, up = to_axes.transform((x, y))
        return float(across) * wide, float(up) * tall

    points = [spot_of(spot.x, spot.y) for spot in places]
    texts = [str(spot.entry.number) for spot in places]
    sizes = [
        (72 * width_of(text, SMALL, spot.entry.role.weight) + 1.0, SMALL)
        for text, spot in zip(texts, places, strict=True)
    ]
    markers = [
        Box.around(*point, spot.entry.role.size + 1, spot.entry.role.size + 1)
        for point, spot in zip(points, places, strict=True)
    ]
    bars = []
    for spot, point in zip(places, points, strict=True):
        ends = [spot_of(spot.x, y)[1] for y in _reach(spot)]
        bars.append(Box(point[0] - 0.6, min(ends), point[0] + 0.6, max(ends)))
        if spot.x_low is not None and spot.x_high is not None:
            start, end = (spot_of(x, spot.y)[0] for x in (spot.x_low, spot.x_high))
            bars.append(Box(start, point[1] - 0.6, end, point[1] + 0.6))
    for (x0, y0), (x1, y1) in itertools.pairwise(spot_of(*corner) for corner in front):
        left, right, low, high = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        bars.append(Box(left - 0.6, low - 0.6, right + 0.6, high + 0.6))
    boxes = spread(points, sizes, markers, bars, Box(0, 0, wide, tall))
    halo = [matplotlib.patheffects.withStroke(linewidth=1.6, foreground="white")]
    for spot, text, point, box in zip(places, texts, points, boxes, strict=True):
        x, y = box.centre
        role = spot.entry.role
        if ((x - point[0]) ** 2 + (y - point[1]) ** 2) ** 0.5 > 13:
            leader = [point[0] / wide, x / wide], [point[1] / tall, y / tall]
            axes.plot(*leader, transform=axes.transAxes, color=PALE, linewidth=0.4, zorder=2)
        axes.text(
            x / wide,
            y / tall,
            text,
            transform=axes.transAxes,
            ha="center",
            va="center_baseline",
            fontsize=SMALL,
            color=INK if role is RIVAL else role.colour,
            weight=role.weight,
            path_effects=halo,
            zorder=4,
            gid="number",
        )


def _roles(entries: Sequence[Entry]) -> list[Line2D]:
    used = {entry.role.name for entry in entries}
    handles = [
        Line2D([], [], linestyle="none", label=role.name, **marker_look(role))
        for role in ROLES
        if role.name in used
    ]
    front = Line2D([], [], color=PALE, linewidth=0.9, linestyle=_FRONT, label="Pareto front")
    return [*handles, front]


def _intervals(legend: Mapping[str, str], panels: Sequence[Panel]) -> list[Line2D]:
    look: dict[str, Any] = {"color": INK, "linewidth": 0.8}
    bars = [
        Line2D([], [], label=f"vertical: {told}", **look, **_BARS[covers])
        for covers, told in legend.items()
    ]
    if any(place.x_low is not None for panel in panels for place in panel.places):
        told = "horizontal: 95 % bootstrap interval of the median"
        bars.append(Line2D([], [], label=told, **look))
    return bars


def _legend_lines(roles: list[Line2D], intervals: list[Line2D]) -> list[list[Line2D]]:
    """All on one line where they fit, else the bars below the markers, on as many as they need."""

    def fits(handles: list[Line2D]) -> bool:
        widths = (width_of(str(handle.get_label()), SMALL) + 0.55 for handle in handles)
        return sum(widths) <= PAGE - _LEFT

    if fits([*roles, *intervals]):
        return [[*roles, *intervals]]
    lines = [roles]
    for handle in intervals:
        if lines[-1] is not roles and fits([*lines[-1], handle]):
            lines[-1].append(handle)
        else:
            lines.append([handle])
    return lines


def _legends(figure: Figure, lines: list[list[Line2D]]) -> None:
    for number, handles in enumerate(lines):
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=((_LEFT - 0.06) / PAGE, 1.0 - _LINE * number / figure.get_figheight()),
            ncols=len(handles),
            columnspacing=1.4,
            handletextpad=0.4,
            borderaxespad=0.2,
        )
