"""Learning curves: loss on train and validation and the AUC that chooses, mean and each seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.records.schema import Epoch, Record
from bench.report.collect import training_of
from bench.report.figures.axes import few_ticks, log_axis, plain_number
from bench.report.figures.multiples import Grid, chunks, part_told
from bench.report.figures.planned import Lacking, Planned, Row, Rows, rests_on
from bench.report.figures.source import Entry, Source, seed_of, seeds_told, with_images
from bench.report.figures.style import BLUE, GREEN, INK, PAGE, VERMILION, write

Trained = tuple[Entry, list[Record]]
_MOST = 15  # panels a figure
_TRAIN: dict[str, Any] = {"color": VERMILION, "linestyle": (0, (4, 1.5))}
_VAL: dict[str, Any] = {"color": BLUE, "linestyle": "-"}
_AUC: dict[str, Any] = {"color": GREEN, "linestyle": "-"}
_CHOSEN: dict[str, Any] = {
    "marker": "v",
    "markersize": 3.6,
    "markerfacecolor": "white",
    "markeredgecolor": INK,
    "markeredgewidth": 0.7,
    "linestyle": "none",
}


def learning_curves(source: Source) -> list[Planned | Lacking]:
    """For each data set, all its models, over as many figures as they need."""
    found: list[Planned | Lacking] = []
    for dataset in source.collected.suite.datasets:
        trained = source.trained(dataset.name)
        if not trained:
            title = f"Learning curves: {dataset.name}"
            found.append(Lacking(title, "no finished training", source.run_command))
        parts = chunks(trained, _MOST)
        for number, part in enumerate(parts, start=1):
            found.append(_planned(source, dataset.name, part, part_told(number, len(parts))))
    return found


def _planned(source: Source, dataset: str, part: Sequence[Trained], told: str) -> Planned:
    records = [record for _, runs in part for record in runs]
    criterion = source.collected.suite.protocol.select
    where = with_images(dataset, records[0], "train", "val")
    caption = (
        f"Loss (mean cross-entropy in nats) on train and validation and AUC on validation of "
        f"{where}, by epoch; {seeds_told([runs for _, runs in part])}: each thin, their mean "
        f"thick; triangles: the epoch whose weights were kept, chosen by {criterion} on "
        f"validation. Train loss is taken while the weights change, under augmentation. "
        f"{rests_on(records, source.collected.stale)}"
    )
    return Planned(
        name=f"learning-curves-{dataset}{told}",
        title=f"Learning curves: {dataset}{told}",
        caption=caption,
        rows=Rows(partial(_rows, dataset, part)),
        records=records,
        draw=partial(_draw, part),
    )


def _rows(dataset: str, part: Sequence[Trained]) -> list[Row]:
    return [
        {
            "data set": dataset,
            "model": entry.label,
            "seed": seed_of(record),
            "epoch": epoch.epoch,
            "train loss": epoch.train_loss,
            "validation loss": epoch.val_loss,
            "validation AUC": epoch.val_auc,
            "chosen": "yes" if epoch.epoch == training_of(record).selected_epoch else "no",
            "record": record.id,
        }
        for entry, runs in part
        for record in runs
        for epoch in training_of(record).epochs
    ]


def mean_curve(
    runs: Sequence[Record], value: Callable[[Epoch], float | None]
) -> tuple[list[int], list[float]]:
    """Epochs that every seed has with a value, and the mean over seeds."""
    curves = [
        {epoch.epoch: value(epoch) for epoch in training_of(record).epochs} for record in runs
    ]
    shared = sorted(set.intersection(*({e for e, v in c.items() if v is not None} for c in curves)))
    return shared, [float(np.mean([c[e] for c in curves])) for e in shared]


def _draw(part: Sequence[Trained]) -> Figure:
    grid = Grid(len(part), min(5, max(3, len(part))), (0.72, 0.58), left=0.48)
    figure = grid.figure()
    every = [epoch for _, runs in part for record in runs for epoch in training_of(record).epochs]
    losses = [value for e in every for value in (e.train_loss, e.val_loss)]
    aucs = [100 * e.val_auc for e in every if e.val_auc is not None]
    longest = max(epoch.epoch for epoch in every)
    for index, (entry, runs) in enumerate(part):
        loss, auc = grid.axes(figure, index)
        grid.title(figure, index, entry)
        _curves(loss, runs, lambda e: e.train_loss, _TRAIN)
        _curves(loss, runs, lambda e: e.val_loss, _VAL, mark=True)
        _curves(
            auc, runs, lambda e: None if e.val_auc is None else 100 * e.val_auc, _AUC, mark=True
        )
        _loss_axis(loss, losses)
        auc.set_ylim(min(aucs, default=50.0) - 3, 103)
        auc.yaxis.set_major_locator(few_ticks(4))
        for axes in (loss, auc):
            axes.set_xlim(1 - 0.03 * longest, max(longest * 1.03, 1.5))
            axes.grid(True, axis="y")
            axes.xaxis.set_major_locator(few_ticks(4, integer=True))
        if index % grid.columns == 0:
            grid.ylabel(loss, "loss (nats)")
            grid.ylabel(auc, "AUC (%)")
    write(figure, grid.middle, 0.03, "epoch", ha="center", va="bottom")
    _legend(figure, grid.left)
    return figure


def _loss_axis(axes: Axes, losses: Sequence[float]) -> None:
    """A log scale, as a bad start is many times a good end; linear where a loss is not positive."""
    if min(losses) > 0:
        log_axis(axes, "y", losses, margin=0.04, most=4, told=loss_told)


def loss_told(value: float) -> str:
    """``0.3``, ``3e-4``: as short as the room beside the axis."""
    if value >= 0.01:
        return plain_number(value)
    mantissa, _, exponent = f"{value:e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def _curves(
    axes: Axes,
    runs: Sequence[Record],
    value: Callable[[Epoch], float | None],
    look: dict[str, Any],
    *,
    mark: bool = False,
) -> None:
    for record in runs:
        result = training_of(record)
        points = [(e.epoch, v) for e in result.epochs if (v := value(e)) is not None]
        if len(runs) > 1 and points:
            axes.plot(*zip(*points, strict=True), color=look["color"], linewidth=0.4, alpha=0.55)
        chosen = [(e, v) for e, v in points if e == result.selected_epoch]
        if mark and chosen:
            axes.plot(*zip(*chosen, strict=True), zorder=4, **_CHOSEN)
    alone: dict[str, Any] = {"marker": "."} if len(training_of(runs[0]).epochs) == 1 else {}
    axes.plot(*mean_curve(runs, value), linewidth=1.2, **look, **alone)


def _legend(figure: Figure, left: float) -> None:
    figure.legend(
        handles=[
            Line2D([], [], label="train loss", **_TRAIN),
            Line2D([], [], label="validation loss", **_VAL),
            Line2D([], [], label="validation AUC", **_AUC),
            Line2D([], [], label="chosen epoch", **_CHOSEN),
        ],
        loc="upper left",
        bbox_to_anchor=((left - 0.06) / PAGE, 1.0),
        ncols=4,
        columnspacing=1.4,
        handletextpad=0.5,
        borderaxespad=0.1,
    )
