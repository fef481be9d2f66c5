"""What the ContextGates do: how much weight each stream and each scale gets on real images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.insight.record import QUANTILES, GateSeen, GateSource
from bench.report.figures.looks import Look, of_every_dataset, resting
from bench.report.figures.planned import Lacking, Planned, Row
from bench.report.figures.source import Source
from bench.report.figures.style import BLUE, INK, PAGE, PALE, SMALL, new_figure, place, write

_ROW = 0.3  # inches a gate
_LEFT, _HEAD, _FOOT = 1.0, 0.46, 0.36


def gates(source: Source) -> list[Planned | Lacking]:
    """One figure a data set: the blocks' gates, the fusion of scales, how much both adapt."""
    return of_every_dataset(source, _planned)


def _planned(source: Source, dataset: str, seen: Sequence[Look]) -> Planned:
    first = seen[0].insight
    caption = (
        f"Weights of the ContextGates of {first.model} on {first.images} validation images of "
        f"{dataset}, {_seeds(seen)}. A gate gives each channel one weight a map, the same at every "
        f"position: of a block's two maps that is g for the local and 1 − g for the global stream; "
        f"before the head the four stages' maps share one. Points: mean over images and channels; "
        f"thick: middle half, thin: 5 to 95 %; hollow, grey: a network with fresh weights; dashed: "
        f"the plain mean, which a gate that does nothing would give. Right: of the variance of the "
        f"weights, the share between images of one channel; where it is small, the gate hardly "
        f"adapts to what it sees. {resting(source, seen)}"
    )
    return Planned(
        name=f"gates-{dataset}",
        title=f"What the gates do: {dataset}",
        caption=caption,
        rows=_rows(dataset, seen),
        records=[one.record for one in seen],
        looks=[one.insight for one in seen],
        draw=partial(_draw, seen),
    )


def _seeds(seen: Sequence[Look]) -> str:
    return f"{len(seen)} seeds" if len(seen) > 1 else "1 seed"


def _rows(dataset: str, seen: Sequence[Look]) -> list[Row]:
    return [
        {
            "data set": dataset,
            "model": one.insight.model,
            "seed": one.seed,
            "trained": trained,
            "gate": _name(gate),
            "map": source.name,
            "mean weight": source.mean,
            **{f"quantile {q:g}": v for q, v in zip(QUANTILES, source.quantiles, strict=True)},
            "RMS of the weighted map": source.rms,
            "variance between images": gate.between_images,
            "record": one.record.id,
        }
        for one in seen
        for trained, found in (("yes", one.insight.gates), ("no", one.insight.gates_untrained))
        for gate in found
        for source in gate.sources
    ]


def _name(gate: GateSeen) -> str:
    if gate.place is None:
        return "scale fusion"
    return f"stage {gate.place.stage}, block {gate.place.block}"


def _draw(seen: Sequence[Look]) -> Figure:
    blocks = [_name(gate) for gate in seen[0].insight.gates if gate.place is not None]
    scales = next((g for g in seen[0].insight.gates if g.place is None), None)
    stages = [source.name for source in scales.sources] if scales else []
    upper, lower = _ROW * len(blocks), _ROW * len(stages)
    height = _HEAD + upper + (0.62 if stages and blocks else 0) + lower + _FOOT
    figure, wide = new_figure(PAGE, height), 3.7
    right, narrow = _LEFT + wide + 0.35, PAGE - _LEFT - wide - 0.35 - 0.1
    top = height - _HEAD
    if blocks:
        axes = place(figure, _LEFT, top - upper, wide, upper)
        pairs = [
            [(gate, gate.sources[0]) for gate in found if gate.place is not None]
            for one in seen
            for found in (one.insight.gates, one.insight.gates_untrained)
        ]
        _weights(axes, pairs, blocks, 0.5)
        axes.set_xlabel("weight of the local stream, g (%); the global stream has the rest")
        adapts = place(figure, right, top - upper, narrow, upper)
        _shares(adapts, [[g for g in one.insight.gates if g.place is not None] for one in seen])
        top -= upper + 0.62
    if stages:
        axes = place(figure, _LEFT, top - lower, wide, lower)
        pairs = [
            [(gate, source) for gate in found if gate.place is None for source in gate.sources]
            for one in seen
            for found in (one.insight.gates, one.insight.gates_untrained)
        ]
        _weights(axes, pairs, stages, 1 / len(stages))
        axes.set_xlabel("weight of a stage's map before the head (%)")
        adapts = place(figure, right, top - lower, narrow, lower)
        _shares(adapts, [[g for g in one.insight.gates if g.place is None] for one in seen])
    _legend(figure, seen)
    return figure


def _offset(index: int, count: int) -> float:
    """Where the n-th of several seeds stands within a row."""
    return (index - (count - 1) / 2) * 0.62 / max(count, 2)


def _weights(
    axes: Axes,
    pairs: Sequence[Sequence[tuple[GateSeen, GateSource]]],
    names: Sequence[str],
    even: float,
) -> None:
    """A row a gate (or a stage); within it the seeds, each trained and fresh in turn."""
    axes.axvline(100 * even, color=PALE, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
    every = []
    for index, column in enumerate(pairs):
        seed, fresh = divmod(index, 2)
        y = _offset(seed, len(pairs) // 2)
        for row, (_, source) in enumerate(column):
            low, q1, _, q3, high = (100 * q for q in source.quantiles)
            every += [low, high]
            if fresh:
                axes.plot([100 * source.mean], [row + y], zorder=2, **_FRESH)
                continue
            axes.plot([low, high], [row + y] * 2, color=BLUE, linewidth=0.7, zorder=3)
            axes.plot([q1, q3], [row + y] * 2, color=BLUE, linewidth=2.2, zorder=3)
            axes.plot([100 * source.mean], [row + y], zorder=4, **_TRAINED)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    room = max(100 * even - min(every), max(every) - 100 * even, 2.0) * 1.08
    axes.set_xlim(max(100 * even - room, -1), min(100 * even + room, 101))
    axes.grid(True, axis="x")


def _shares(axes: Axes, gates: Sequence[Sequence[GateSeen]]) -> None:
    rows = max(len(found) for found in gates)
    for seed, found in enumerate(gates):
        for row, gate in enumerate(found):
            y = row + _offset(seed, len(gates))
            share = 100 * gate.between_images
            axes.plot([0, share], [y, y], color=INK, linewidth=1.2)
            axes.plot([share], [y], marker="o", markersize=2.4, color=INK)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("variance between images (%)")
    axes.set_yticks([])
    axes.grid(True, axis="x")


_TRAINED: dict[str, Any] = {"marker": "o", "markersize": 3.4, "color": BLUE, "linestyle": "none"}
_FRESH: dict[str, Any] = {
    "marker": "o",
    "markersize": 3.0,
    "markerfacecolor": "white",
    "markeredgecolor": PALE,
    "markeredgewidth": 0.7,
    "linestyle": "none",
}


def _legend(figure: Figure, seen: Sequence[Look]) -> None:
    height = figure.get_size_inches()[1]
    order = ", ".join(str(one.seed) for one in seen)
    told = f"in each row from above: seed {order}" if len(seen) > 1 else f"seed {order}"
    figure.legend(
        handles=[
            Line2D([], [], label="mean", **_TRAINED),
            Line2D([], [], color=BLUE, linewidth=2.2, label="middle half"),
            Line2D([], [], color=BLUE, linewidth=0.7, label="5 to 95 %"),
            Line2D([], [], label="mean, fresh weights", **_FRESH),
        ],
        loc="upper left",
        bbox_to_anchor=((_LEFT - 0.06) / PAGE, 1.0),
        ncols=4,
        columnspacing=1.4,
        handletextpad=0.5,
        borderaxespad=0.1,
    )
    write(figure, _LEFT, height - 0.34, told, va="center", fontsize=SMALL, color=PALE)
    look: dict[str, Any] = {"va": "center", "fontsize": SMALL, "weight": "bold"}
    write(figure, _LEFT + 4.05, height - 0.34, "does it adapt?", **look)
