"""Reliability diagrams: how often a decision is right, against how sure the model was of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib.patheffects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bench.evaluation.scores import THRESHOLD, is_multi_label
from bench.records.schema import Record
from bench.report.collect import training_of
from bench.report.figures.axes import few_ticks
from bench.report.figures.multiples import Grid, chunks, part_told
from bench.report.figures.planned import Lacking, Planned, Row, Rows, ids, rests_on
from bench.report.figures.source import Entry, Source, seeds_told, task_of, with_images
from bench.report.figures.style import BLUE, FAINT, INK, PAGE, PALE, SMALL, VERMILION, write
from bench.specs import Task
from bench.statistics.decisions import Floats, Ints

Trained = tuple[Entry, list[Record]]
_MOST = 15  # panels a figure
FEW = 20  # decisions; a bin of fewer is drawn hollow


@dataclass(frozen=True)
class Bin:
    """One bin of confidence ``[low, high)``, over all seeds' decisions."""

    low: float
    high: float
    decisions: int
    confidence: float | None  # means; None in an empty bin
    accuracy: float | None


def reliability(source: Source) -> list[Planned | Lacking]:
    """For each data set, all its models, over as many figures as they need."""
    found: list[Planned | Lacking] = []
    for dataset in source.collected.suite.datasets:
        trained = source.trained(dataset.name)
        if not trained:
            title = f"Reliability: {dataset.name}"
            found.append(Lacking(title, "no finished training", source.run_command))
        parts = chunks(trained, _MOST)
        for number, part in enumerate(parts, start=1):
            found.append(_planned(source, dataset.name, part, part_told(number, len(parts))))
    return found


def decisions(probs: Floats, labels: Ints, task: Task) -> tuple[Floats, Floats]:
    """Confidence and whether it was right (0 or 1), ``(N,)``; of several labels, of each label.

    As the ECE in records has it: two classes are cut at 0.5 of the second.
    """
    if is_multi_label(task):
        sure = np.maximum(probs, 1.0 - probs).ravel()
        return sure, np.asarray((probs > THRESHOLD) == (labels == 1), np.float64).ravel()
    said = probs.argmax(axis=1)
    if task == "binary-class":
        said = (probs[:, -1] > THRESHOLD).astype(np.int64)
    sure = probs[np.arange(len(probs)), said]
    return sure, np.asarray(said == labels, np.float64)


def binned(confidence: Floats, right: Floats, bins: int) -> list[Bin]:
    """Equal widths, ``[k/bins, (k+1)/bins)``, the last one closed."""
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    found = []
    for k in range(bins):
        inside = index == k
        count = int(inside.sum())
        means = (float(x[inside].mean()) if count else None for x in (confidence, right))
        found.append(Bin(k / bins, (k + 1) / bins, count, *means))
    return found


def _bins(source: Source, runs: Sequence[Record]) -> list[Bin]:
    pairs = [decisions(*source.predicted(record), task_of(record)) for record in runs]
    confidence, right = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return binned(confidence, right, training_of(runs[0]).test.ece_bins)


def _planned(source: Source, dataset: str, part: Sequence[Trained], told: str) -> Planned:
    records = [record for _, runs in part for record in runs]
    test, task = training_of(records[0]).test, task_of(records[0])
    unit = "label of each image" if is_multi_label(task) else "test image"
    bins = cache(lambda: [(entry, runs, _bins(source, runs)) for entry, runs in part])
    where = with_images(dataset, records[0], "test")
    caption = (
        f"Share of right decisions against mean confidence in {test.ece_bins} bins of equal width, "
        f"{where}, one decision a {unit}, "
        f"{seeds_told([runs for _, runs in part])} pooled; "
        f"below: decisions in each bin. Bars join each point to the diagonal; hollow: fewer than "
        f"{FEW} decisions. ECE is the mean over seeds of each training's own, with its standard "
        f"deviation; no interval is given, since the seeds share the test images. "
        f"{rests_on(records, source.collected.stale)}"
    )
    return Planned(
        name=f"reliability-{dataset}{told}",
        title=f"Reliability: {dataset}{told}",
        caption=caption,
        rows=Rows(lambda: _rows(dataset, bins())),
        records=records,
        draw=lambda: _draw(bins(), 0.0 if is_multi_label(task) else 1 / len(test.per_class)),
    )


def _rows(dataset: str, bins: Sequence[tuple[Entry, list[Record], list[Bin]]]) -> list[Row]:
    return [
        {
            "data set": dataset,
            "model": entry.label,
            "bin from": one.low,
            "bin to": one.high,
            "decisions": one.decisions,
            "mean confidence": one.confidence,
            "share right": one.accuracy,
            "mean ECE of the seeds": statistics.fmean(training_of(r).test.ece for r in runs),
            "records": ids(runs),
        }
        for entry, runs, found in bins
        for one in found
    ]


def ece_told(runs: Sequence[Record]) -> str:
    """``ECE 8.1 ± 0.4 %``: mean and standard deviation over seeds."""
    values = [100 * training_of(record).test.ece for record in runs]
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"ECE {statistics.fmean(values):.1f}{spread} %"


def _draw(bins: Sequence[tuple[Entry, list[Record], list[Bin]]], least: float) -> Figure:
    grid = Grid(len(bins), min(5, max(3, len(bins))), (1.08, 0.3))
    figure = grid.figure()
    halo = [matplotlib.patheffects.withStroke(linewidth=1.6, foreground="white")]
    most = max(one.decisions for _, _, found in bins for one in found)
    low = 100 * (0.5 if least >= 0.5 or least == 0 else 0.0)
    for index, (entry, runs, found) in enumerate(bins):
        diagram, counts = grid.axes(figure, index)
        grid.title(figure, index, entry)
        _diagram(diagram, found, low)
        look: dict[str, Any] = {"ha": "right", "path_effects": halo, "transform": diagram.transAxes}
        diagram.text(0.97, 0.05, ece_told(runs), fontsize=SMALL, zorder=5, **look)
        filled = [one for one in found if one.decisions]
        counts.bar(
            [100 * one.low for one in filled],
            [one.decisions for one in filled],
            width=100 / len(found),
            align="edge",
            color=FAINT,
            edgecolor=PALE,
            linewidth=0.4,
        )
        counts.set_ylim(0, 1.12 * most)
        counts.yaxis.set_major_locator(few_ticks(2, integer=True))
        for axes in (diagram, counts):
            axes.set_xlim(low, 100)
            axes.set_xticks([60, 75, 90] if low else [25, 50, 75])
        if index % grid.columns == 0:
            grid.ylabel(diagram, "right (%)")
            grid.ylabel(counts, "count")
    write(figure, grid.middle, 0.03, "confidence of the decision (%)", ha="center", va="bottom")
    _legend(figure, grid.left)
    return figure


def _diagram(axes: Axes, found: Sequence[Bin], low: float) -> None:
    axes.plot([low, 100], [low, 100], color=PALE, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1)
    points = [
        (100 * one.confidence, 100 * one.accuracy, one.decisions)
        for one in found
        if one.confidence is not None and one.accuracy is not None
    ]
    for x, y, _ in points:
        axes.plot([x, x], [x, y], color=VERMILION, linewidth=1.4, alpha=0.45, zorder=2)
    axes.plot([x for x, _, _ in points], [y for _, y, _ in points], color=BLUE, linewidth=0.9)
    for x, y, count in points:
        axes.plot([x], [y], zorder=4, clip_on=False, **_dot(few=count < FEW))
    axes.set_ylim(-4, 104)
    axes.set_yticks([0, 50, 100])


def _dot(*, few: bool) -> dict[str, Any]:
    return {
        "marker": "o",
        "markersize": 3.4,
        "linestyle": "none",
        "markerfacecolor": "white" if few else BLUE,
        "markeredgecolor": BLUE,
        "markeredgewidth": 0.8,
    }


def _legend(figure: Figure, left: float) -> None:
    figure.legend(
        handles=[
            Line2D([], [], color=PALE, linewidth=0.7, linestyle=(0, (3, 2)), label="calibrated"),
            Line2D([], [], label="a bin", **_dot(few=False)),
            Line2D([], [], label=f"a bin of fewer than {FEW}", **_dot(few=True)),
            Line2D([], [], color=VERMILION, linewidth=1.4, alpha=0.45, label="gap"),
            Patch(facecolor=FAINT, edgecolor=PALE, linewidth=0.4, label="decisions"),
        ],
        loc="upper left",
        bbox_to_anchor=((left - 0.06) / PAGE, 1.0),
        ncols=5,
        columnspacing=1.4,
        handletextpad=0.5,
        borderaxespad=0.1,
        labelcolor=INK,
    )
