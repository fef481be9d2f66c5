"""Confusion matrices: of the images of each class, what share was called what."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bench.evaluation.scores import THRESHOLD, is_multi_label
from bench.records.schema import Record
from bench.report.figures.classes import Classes, short_classes
from bench.report.figures.multiples import Grid
from bench.report.figures.planned import Lacking, Planned, Row, Rows, ids, rests_on
from bench.report.figures.source import Entry, Source, classes_of, seeds_told, task_of, with_images
from bench.report.figures.style import ABLATION, BLUE, FAINT, INK, PAGE, SMALL, SUBJECT
from bench.specs import Task
from bench.statistics.decisions import Floats, Ints

Counts = NDArray[np.int64]
Trained = tuple[Entry, list[Record]]
Matrix = tuple[Entry, list[Record], Counts]
_SHADES = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#cfe3f2", BLUE, "#00395a"])


def confusions(source: Source) -> list[Planned | Lacking]:
    """One figure a data set: the subject, then other models, then ablations, as many as fit."""
    found: list[Planned | Lacking] = []
    for dataset in source.collected.suite.datasets:
        title, trained = f"Confusion: {dataset.name}", source.trained(dataset.name)
        if not trained:
            found.append(Lacking(title, "no finished training", source.run_command))
        elif is_multi_label(task_of(trained[0][1][0])):
            why = "its images carry several labels each, so no image belongs to one row"
            found.append(Lacking(title, why))
        else:
            found.append(_planned(source, dataset.name, trained))
    return found


def counted_matrix(probs: Floats, labels: Ints, task: Task) -> Counts:
    """How many images of class (row) were called class (column)."""
    classes = probs.shape[1]
    said = probs.argmax(axis=1)
    if task == "binary-class":
        said = (probs[:, -1] > THRESHOLD).astype(np.int64)
    counts = np.bincount(labels * classes + said, minlength=classes * classes)
    return np.asarray(counts, np.int64).reshape(classes, classes)


def columns_and_most(classes: int) -> tuple[int, int]:
    """How many panels stand side by side, and how many models a figure holds."""
    if classes <= 3:
        return 4, 8
    return (3, 6) if classes <= 6 else (2, 4)


def _first(trained: Sequence[Trained], most: int) -> list[Trained]:
    def place(one: Trained) -> int:
        role = one[0].role
        return 0 if role is SUBJECT else 2 if role is ABLATION else 1

    return sorted(trained, key=place)[:most]


def _planned(source: Source, dataset: str, trained: Sequence[Trained]) -> Planned:
    names = classes_of(trained[0][1])
    shown = _first(trained, columns_and_most(len(names))[1])
    matrices = cache(lambda: [(entry, runs, _added(source, runs)) for entry, runs in shown])
    records = [record for _, runs in shown for record in runs]
    counts = (
        "in brackets their number, added over seeds"
        if len(names) <= 3
        else "on the right the images of each row, added over seeds"
    )
    left = len(trained) - len(shown)
    order = "the subject comes first, then other models in the suite's order, then ablations"
    told = f" {left} more models are not shown ({order})." if left else ""
    where = with_images(dataset, records[0], "test")
    caption = (
        f"For each true class (rows) of {where}, the percentage of its images called each "
        f"class (columns), {counts} ({seeds_told([runs for _, runs in shown])}, so every image "
        f"counts once a seed); no intervals.{told} {rests_on(records, source.collected.stale)}"
    )
    return Planned(
        name=f"confusion-{dataset}",
        title=f"Confusion: {dataset}",
        caption=caption,
        rows=Rows(lambda: _rows(dataset, names, matrices())),
        records=records,
        draw=lambda: _draw(names, matrices()),
    )


def _added(source: Source, runs: Sequence[Record]) -> Counts:
    each = [counted_matrix(*source.predicted(run), task_of(run)) for run in runs]
    return np.asarray(np.sum(each, axis=0))


def _rows(dataset: str, names: Sequence[str], matrices: Sequence[Matrix]) -> list[Row]:
    return [
        {
            "data set": dataset,
            "model": entry.label,
            "true class": names[row],
            "called": names[column],
            "images": int(counts[row, column]),
            "share of the row": share(counts)[row, column] if counts[row].sum() else None,
            "seeds": len(runs),
            "records": ids(runs),
        }
        for entry, runs, counts in matrices
        for row in range(len(names))
        for column in range(len(names))
    ]


def share(counts: Counts) -> Floats:
    """Each row as shares; a class without images is all zeros."""
    rows = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.asarray(counts / rows, np.float64)


def _draw(names: Sequence[str], matrices: Sequence[Matrix]) -> Figure:
    columns, _ = columns_and_most(len(names))
    columns = min(columns, max(2, len(matrices)))
    counts_beside = len(names) > 3
    gap = 0.42 if counts_beside else 0.16
    right = 0.4 if counts_beside else 0.06
    left, widest = 0.62, 2.6
    room = (PAGE - left - right - gap * (columns - 1)) / columns
    side = min(room, widest)
    lines = 2 if len(names) <= 3 else 1
    classes = short_classes(names, min(side / len(names) - 0.06, 0.8), PAGE - 0.2, lines)
    key = classes.key.height + 0.1 if classes.key else 0.0
    grid = Grid(
        len(matrices),
        columns,
        (side,),
        left=left,
        right=right + columns * (room - side),
        gap=gap,
        head=0.02,
        under=0.1,
        foot=0.22 + 0.12 * lines + key,
    )
    figure = grid.figure()
    for index, (entry, _, counts) in enumerate(matrices):
        (axes,) = grid.axes(figure, index)
        grid.title(figure, index, entry)
        _matrix(axes, counts, classes, beside=counts_beside)
        if index % columns == 0:
            grid.ylabel(axes, "true class")
        if grid.is_lowest(index):
            axes.set_xlabel("called", labelpad=2)
    if classes.key:
        classes.key.draw(figure, 0.1, key - 0.06)
    return figure


def _matrix(axes: Axes, counts: Counts, classes: Classes, *, beside: bool) -> None:
    shares = share(counts)
    axes.pcolormesh(shares, cmap=_SHADES, vmin=0, vmax=1, edgecolors="white", linewidth=0.8)
    for row in range(len(counts)):
        for column in range(len(counts)):
            part, number = 100 * shares[row, column], counts[row, column]
            if beside and not number:
                continue
            text = f"{part:.0f}" if beside else f"{part:.1f}\n({number})"
            colour = "white" if part > 55 else INK
            spot = column + 0.5, row + 0.5
            axes.text(*spot, text, ha="center", va="center", color=colour, fontsize=SMALL)
    if beside:
        for row, total in enumerate(counts.sum(axis=1)):
            place = len(counts) + 0.12, row + 0.5
            axes.text(*place, str(total), va="center", fontsize=SMALL - 0.5, clip_on=False)
    axes.set_ylim(len(counts), 0)
    ticks = np.arange(len(counts)) + 0.5
    axes.set_xticks(ticks, classes.short)
    upright = classes.key is not None
    turned: dict[str, Any] = {} if upright else {"rotation": 90, "multialignment": "center"}
    axes.set_yticks(ticks, classes.short, va="center", **turned)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=FAINT)
