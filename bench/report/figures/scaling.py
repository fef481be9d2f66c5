"""How time and memory of one image grow with its pixels, log against log, with slopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib.patheffects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.details import MemorySpec, ScalingSpec
from bench.records.details import MemoryResult, ScalingResult
from bench.records.schema import Record
from bench.report.detail_cells import flat
from bench.report.figures.axes import log_axis
from bench.report.figures.key import Item, Key
from bench.report.figures.planned import Lacking, Planned, Row, ids, rests_on
from bench.report.figures.source import Source
from bench.report.figures.spreading import stacked
from bench.report.figures.style import (
    ABLATION,
    FAINT,
    INK,
    PAGE,
    PALE,
    RIVAL,
    ROLES,
    SMALL,
    SUBJECT,
    Role,
    new_figure,
    place,
    write,
)

_TITLE = "Time and memory against pixels"
_LOOK: dict[str, dict[str, Any]] = {
    SUBJECT.name: {"linewidth": 1.8, "linestyle": "-", "zorder": 5},
    ABLATION.name: {"linewidth": 0.9, "linestyle": (0, (4, 1.5)), "zorder": 4},
    RIVAL.name: {"linewidth": 0.7, "linestyle": "-", "zorder": 3},
}


@dataclass(frozen=True)
class Growth:
    """One model's series: image size in pixels a side → milliseconds, and MiB it adds."""

    number: int
    model: str
    role: Role
    times: dict[int, float]
    memory: dict[int, float]
    records: Sequence[Record]
    ended: str | None  # why the series ends before the largest size

    @property
    def slopes(self) -> tuple[float | None, float | None]:
        """Exponents of pixels, over the upper half of the sizes."""
        return upper_slope(self.times), upper_slope(self.memory)


def upper_slope(series: dict[int, float]) -> float | None:
    """Least squares of log value against log pixels over the upper half of the sizes."""
    sizes = sorted(series)
    half = sizes[len(sizes) // 2 :]
    if len(half) < 2:
        return None
    x, y = np.log([size**2 for size in half]), np.log([series[size] for size in half])
    return float(np.polyfit(x, y, 1)[0])


def scalings(source: Source) -> list[Planned | Lacking]:
    """One figure for each machine that made the suite's full measurement."""
    suite = source.collected.suite
    machines = dict.fromkeys(
        record.spec.device_name
        for record in source.collected.details
        if isinstance(record.spec, ScalingSpec) and isinstance(record.detail, ScalingResult)
    )
    found = [one for machine in machines if (one := _planned(source, machine)) is not None]
    if found:
        return [*found]
    why = "no cell of a full measurement says how any model scales"
    return [Lacking(_TITLE, why, f"python -m bench measure {suite.reference} --full")]


def _planned(source: Source, machine: str) -> Planned | None:
    grown = [one for one in growths(source, machine) if one.times]
    if not grown:
        return None
    records = [record for one in grown for record in one.records]
    return Planned(
        name="scaling",
        title=f"{_TITLE}: {machine}",
        caption=_caption(source, machine, grown, records),
        rows=_rows(machine, grown),
        records=records,
        draw=partial(_draw, grown),
    )


def growths(source: Source, machine: str) -> list[Growth]:
    """The series of every model whose scaling was measured there, in the suite's order."""
    numbers = {model.name: n for n, model in enumerate(source.collected.suite.cost_models, 1)}
    libraries = {
        record.spec.model.name: record
        for record in source.collected.details
        if isinstance(record.spec, MemorySpec) and record.spec.device_name == machine
    }
    found = []
    for record in source.collected.details:
        spec, result = record.spec, record.detail
        if not isinstance(spec, ScalingSpec) or not isinstance(result, ScalingResult):
            continue
        if spec.device_name != machine:
            continue
        base = libraries.get(spec.model.name)
        memory = _added(result, base)
        found.append(
            Growth(
                number=numbers[spec.model.name],
                model=spec.model.name,
                role=source.role(spec.model.name),
                times={
                    point.image_size: 1000 * float(np.median(flat(point.rounds_s)))
                    for point in result.over_sizes
                    if point.rounds_s
                },
                memory=memory,
                records=[record, *([base] if base is not None and memory else [])],
                ended=next((p.failure for p in result.over_sizes if p.failure), None),
            )
        )
    return found


def _added(result: ScalingResult, base: Record | None) -> dict[int, float]:
    """MiB beyond Python and its libraries, where these were measured."""
    if base is None or not isinstance(base.detail, MemoryResult):
        return {}
    libraries = base.detail.libraries_bytes
    return {
        point.image_size: (point.peak_bytes - libraries) / 2**20
        for point in result.over_sizes
        if point.peak_bytes is not None and point.peak_bytes > libraries
    }


def _caption(
    source: Source, machine: str, grown: Sequence[Growth], records: Sequence[Record]
) -> str:
    sentences = [
        f"Median time and peak memory of one image at batch 1 against its pixels, on {machine}; "
        "memory is what the model adds to Python and its libraries. In the key: slopes of time "
        "and memory over the upper half of the sizes (1 is linear in the pixels); intervals of "
        f"these stand in the cost tables (`python -m bench report "
        f"{source.collected.suite.reference}`). Broken grey: linear and quadratic in the pixels.",
    ]
    ended = [f"{one.model} ({one.ended})" for one in grown if one.ended]
    if ended:
        sentences.append(f"Ends early: {'; '.join(ended)}.")
    bare = [one.model for one in grown if not one.memory]
    if bare:
        sentences.append(f"No memory of {', '.join(bare)}.")
    return " ".join([*sentences, rests_on(records, source.collected.stale)])


def _rows(machine: str, grown: Sequence[Growth]) -> list[Row]:
    return [
        {
            "machine": machine,
            "number": one.number,
            "model": one.model,
            "image size (px)": size,
            "pixels": size**2,
            "median time (ms)": one.times.get(size),
            "memory added (MiB)": one.memory.get(size),
            "slope of time, upper half": one.slopes[0],
            "slope of memory, upper half": one.slopes[1],
            "records": ids(one.records),
        }
        for one in grown
        for size in sorted(one.times.keys() | one.memory.keys())
    ]


def _draw(grown: Sequence[Growth]) -> Figure:
    left, right, between, under, above = 0.55, 0.3, 0.8, 0.44, 0.22
    memory = any(one.memory for one in grown)
    tall = min(4.2, max(2.3, 0.105 * len(grown) + 0.4))
    items = [Item(one.number, f"{one.model}: {_told(one.slopes)}", one.role) for one in grown]
    key = Key(items, PAGE - left - 0.06)
    figure = new_figure(PAGE, above + tall + under + key.height)
    panels = [("time (ms)", [one.times for one in grown])]
    if memory:
        panels.append(("memory added (MiB)", [one.memory for one in grown]))
    wide = (PAGE - left - right - between * (len(panels) - 1)) / len(panels)
    for index, (label, series) in enumerate(panels):
        where = left + index * (wide + between), under + key.height, wide, tall
        _panel(place(figure, *where), label, grown, series, tall)
    key.draw(figure, left - 0.2, key.height + 0.02)
    told = "key: slopes of time / of memory"
    write(figure, PAGE - 0.06, above + tall + under + key.height - 0.12, told, ha="right")
    _legend(figure, grown, left)
    return figure


def _told(slopes: tuple[float | None, float | None]) -> str:
    return " / ".join("–" if slope is None else f"{slope:.2f}" for slope in slopes)


def _panel(
    axes: Axes, label: str, grown: Sequence[Growth], series: Sequence[dict[int, float]], tall: float
) -> None:
    drawn = [(one, values) for one, values in zip(grown, series, strict=True) if values]
    pixels = [float(size**2) for _, values in drawn for size in values]
    log_axis(axes, "x", pixels, margin=0.03, told=lambda p: f"{round(p**0.5)}²", ticks=pixels)
    heights = [value for _, values in drawn for value in values.values()]
    # A decade at least: what hardly grows looks flat, and beside it the guides look steep.
    log_axis(axes, "y", [*heights, max(heights) / 10])
    axes.grid(True)
    axes.set_xlabel("pixels of the image")
    axes.set_ylabel(label)
    last = max(pixels)
    _guides(axes, (last, max(v for _, vs in drawn for s, v in vs.items() if s**2 == last)))
    for one, values in drawn:
        sizes = sorted(values)
        look = dict(_LOOK[one.role.name])
        axes.plot(
            [size**2 for size in sizes],
            [values[size] for size in sizes],
            color=PALE if one.role is RIVAL else one.role.colour,
            marker=".",
            markersize=2.5,
            **look,
        )
    _ends(axes, drawn, tall)


def _guides(axes: Axes, corner: tuple[float, float]) -> None:
    """Slopes one and two, down from the largest image's slowest model."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    halo = [matplotlib.patheffects.withStroke(linewidth=1.6, foreground="white")]
    for power, told in ((1, "linear"), (2, "quadratic")):
        start = max(left, corner[0] * (bottom / corner[1]) ** (1 / power))
        ends = [corner[1] * (x / corner[0]) ** power for x in (start, corner[0])]
        look: dict[str, Any] = {"color": FAINT, "linewidth": 1.0, "linestyle": (0, (6, 3))}
        axes.plot([start, corner[0]], ends, zorder=1, **look)
        y = bottom * (top / bottom) ** (0.03 if power == 1 else 0.11)
        x = corner[0] * (y / corner[1]) ** (1 / power)
        if x < 3 * left:  # no room on its left
            x, y = 3 * left, corner[1] * (3 * left / corner[0]) ** power
        axes.text(x, y, f"{told} ", color=PALE, path_effects=halo, ha="right", va="bottom")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _ends(axes: Axes, drawn: Sequence[tuple[Growth, dict[int, float]]], tall: float) -> None:
    """Each line's number at its right end, drawn apart where they would touch."""
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = [to_axes.transform((max(v) ** 2, v[max(v)])) for _, v in drawn]
    heights = stacked([72 * tall * float(y) for _, y in ends], SMALL + 0.4, -4, 72 * tall + 4)
    for (one, _), (x, y), height in zip(drawn, ends, heights, strict=True):
        up = height / (72 * tall)
        axes.plot(
            [x, 1.012, 1.05],
            [y, y, up],
            transform=axes.transAxes,
            color=PALE,
            linewidth=0.4,
            clip_on=False,
        )
        axes.text(
            1.06,
            up,
            str(one.number),
            transform=axes.transAxes,
            va="center_baseline",
            fontsize=SMALL,
            color=INK if one.role is RIVAL else one.role.colour,
            weight=one.role.weight,
            gid="number",
        )


def _legend(figure: Figure, grown: Sequence[Growth], left: float) -> None:
    used = {one.role.name for one in grown}
    figure.legend(
        handles=[
            Line2D(
                [],
                [],
                label=role.name,
                color=PALE if role is RIVAL else role.colour,
                **{k: v for k, v in _LOOK[role.name].items() if k != "zorder"},
            )
            for role in ROLES
            if role.name in used
        ],
        loc="upper left",
        bbox_to_anchor=((left - 0.06) / PAGE, 1.0),
        ncols=3,
        columnspacing=1.4,
        borderaxespad=0.1,
    )
