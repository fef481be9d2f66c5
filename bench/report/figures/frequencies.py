"""Which frequencies the local kernels answer to, and which the two streams carry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bench.insight.record import MapsSeen
from bench.report.figures.axes import few_ticks
from bench.report.figures.looks import Look, of_every_dataset, resting
from bench.report.figures.planned import Lacking, Planned, Row
from bench.report.figures.source import Source
from bench.report.figures.style import (
    BLUE,
    INK,
    PAGE,
    PALE,
    SMALL,
    VERMILION,
    new_figure,
    place,
    write,
)

_LEFT, _GAP, _RIGHT = 0.5, 0.16, 0.06
_KERNEL, _MAPS, _BETWEEN, _HEAD, _FOOT = 0.95, 1.15, 0.62, 0.42, 0.36

_BANDS: dict[str, dict[str, Any]] = {
    "input": {"color": PALE, "linestyle": (0, (1, 1)), "marker": "."},
    "low band": {"color": BLUE, "linestyle": (0, (4, 1.5)), "marker": "v"},
    "high band": {"color": VERMILION, "linestyle": (0, (4, 1.5)), "marker": "^"},
    "global stream": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "local stream": {"color": VERMILION, "linestyle": "-", "marker": "s"},
}
_APPLIED: dict[str, Any] = {"color": VERMILION, "linestyle": "-"}
_FREE: dict[str, Any] = {"color": INK, "linestyle": (0, (1, 1.2))}


def frequencies(source: Source) -> list[Planned | Lacking]:
    """One figure a data set: a column a stage, kernels above, maps below."""
    return of_every_dataset(source, _planned)


def _planned(source: Source, dataset: str, seen: Sequence[Look]) -> Planned:
    first = seen[0].insight
    acts = (
        "the split takes the mean out of each kernel, so that the response to radius 0 is 0"
        if any(kernel.split for kernel in first.kernels)
        else "there is no split, so that both lines are one"
    )
    caption = (
        f"{first.model} on {first.images} validation images of {dataset}, mean over blocks and "
        f"{len(seen)} seed{'s' if len(seen) > 1 else ''}. Above: mean power of the response of the "
        f"local stream's kernels, as applied and without the split's constraint ({acts}), in units "
        f"of the unconstrained kernels' mean. Below: of the power of each band and stream, the "
        f"share at each radius, on a root scale; radius 0 is the mean over the map. Radii are in "
        f"cycles per pixel of the stage's map; 0.5 is a cycle of 2 pixels there, which are 8, 16, "
        f"32 and 64 pixels of the fed image. Where the low band is not pooled, it is the input. "
        f"{resting(source, seen)}"
    )
    return Planned(
        name=f"frequencies-{dataset}",
        title=f"Frequencies: {dataset}",
        caption=caption,
        rows=_rows(dataset, seen),
        records=[one.record for one in seen],
        looks=[one.insight for one in seen],
        draw=partial(_draw, seen),
    )


def _rows(dataset: str, seen: Sequence[Look]) -> list[Row]:
    rows: list[Row] = []
    for one in seen:
        start: Row = {"data set": dataset, "record": one.record.id, "seed": one.seed}
        for kernel in one.insight.kernels:
            for name, values in (("applied", kernel.applied), ("free", kernel.unconstrained)):
                rows += [
                    start
                    | {"stage": kernel.place.stage, "block": kernel.place.block}
                    | {"what": f"kernel, {name}", "radius": r, "power": v}
                    for r, v in zip(kernel.frequency, values, strict=True)
                ]
        for maps in one.insight.maps:
            for band, values in maps.bands.items():
                rows += [
                    start
                    | {"stage": maps.place.stage, "block": maps.place.block}
                    | {"what": band, "radius": r, "power": v}
                    for r, v in zip(maps.frequency, values, strict=True)
                ]
    return rows


def _draw(seen: Sequence[Look]) -> Figure:
    stages = sorted({maps.place.stage for maps in seen[0].insight.maps})
    kernels = bool(seen[0].insight.kernels)
    height = _HEAD + (_KERNEL + _BETWEEN if kernels else 0) + _MAPS + _FOOT
    figure = new_figure(PAGE, height)
    wide = (PAGE - _LEFT - _RIGHT - _GAP * (len(stages) - 1)) / len(stages)
    most = max(
        (v for one in seen for k in one.insight.kernels for v in (*k.applied, *k.unconstrained)),
        default=1.0,
    )
    for column, stage in enumerate(stages):
        x, y = _LEFT + column * (wide + _GAP), height - _HEAD
        maps = [m for one in seen for m in one.insight.maps if m.place.stage == stage]
        write(figure, x, y + 0.06, _title(stage, maps[0]), fontsize=SMALL, weight="bold")
        if kernels:
            axes = place(figure, x, y - _KERNEL, wide, _KERNEL)
            _kernels(axes, seen, stage, most)
            axes.tick_params(labelleft=column == 0)
            if column == 0:
                axes.set_ylabel("kernel power")
            y -= _KERNEL + _BETWEEN
        axes = place(figure, x, y - _MAPS, wide, _MAPS)
        _maps(axes, maps)
        axes.tick_params(labelleft=column == 0)
        if column == 0:
            axes.set_ylabel("share of power (%)")
    across = _LEFT + (PAGE - _LEFT) / 2
    write(figure, across, 0.03, "radius (cycles per pixel of the map)", ha="center", va="bottom")
    _legends(figure, kernels)
    return figure


def _title(stage: int, maps: MapsSeen) -> str:
    if maps.pooled_by is None:
        return f"stage {stage}: {maps.side} px"
    pooled = f"pooled by {maps.pooled_by}" if maps.pooled_by > 1 else "not pooled"
    return f"stage {stage}: {maps.side} px, {pooled}"


def _mean(curves: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.asarray(np.mean(np.asarray(curves, np.float64), axis=0))


def _kernels(axes: Axes, seen: Sequence[Look], stage: int, most: float) -> None:
    found = [k for one in seen for k in one.insight.kernels if k.place.stage == stage]
    for kernel in found:
        axes.plot(kernel.frequency, kernel.applied, linewidth=0.4, alpha=0.55, color=VERMILION)
    axes.plot(found[0].frequency, _mean([k.unconstrained for k in found]), **_FREE)
    axes.plot(found[0].frequency, _mean([k.applied for k in found]), **_APPLIED)
    axes.set_xlim(-0.01, 0.51)
    axes.set_ylim(-0.05 * most, 1.05 * most)
    axes.set_xticks([0, 0.25, 0.5], ["0", "0.25", "0.5"])
    axes.yaxis.set_major_locator(few_ticks(4))
    axes.grid(True, axis="y")


def _maps(axes: Axes, maps: Sequence[MapsSeen]) -> None:
    x = np.asarray(maps[0].frequency)
    for band, look in _BANDS.items():
        curves = [one.bands[band] for one in maps if band in one.bands]
        if curves:
            axes.plot(x, np.sqrt(100 * _mean(curves)), markersize=2.4, linewidth=1.0, **look)
    ticks = [0, 1, 10, 25, 50, 100]
    axes.set_yticks([t**0.5 for t in ticks], [str(t) for t in ticks])
    axes.set_ylim(-0.3, 10.2)
    axes.set_xlim(-0.02, max(float(x[-1]), 0.5) + 0.02)
    axes.set_xticks([0, 0.25, 0.5], ["0", "0.25", "0.5"])
    axes.grid(True, axis="y")


def _legends(figure: Figure, kernels: bool) -> None:
    height = figure.get_size_inches()[1]
    look: dict[str, Any] = {"columnspacing": 1.2, "handletextpad": 0.5, "borderaxespad": 0.1}
    left = (_LEFT - 0.06) / PAGE
    if kernels:
        figure.legend(
            handles=[
                Line2D([], [], label="kernels of the local stream, as applied", **_APPLIED),
                Line2D([], [], label="the same without the split's constraint", **_FREE),
            ],
            loc="upper left",
            bbox_to_anchor=(left, 1.0),
            ncols=2,
            **look,
        )
    top = height - (_HEAD + _KERNEL + 0.28 if kernels else 0.0)
    figure.legend(
        handles=[Line2D([], [], label=band, markersize=2.4, **one) for band, one in _BANDS.items()],
        loc="upper left",
        bbox_to_anchor=(left, top / height),
        ncols=5,
        **look,
    )
