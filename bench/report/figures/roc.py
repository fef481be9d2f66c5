"""ROC curves: each class against the rest (two classes: one curve), averaged over seeds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bench.records.schema import Record
from bench.report.collect import training_of
from bench.report.figures.key import ROW
from bench.report.figures.measuring import shortened, width_of
from bench.report.figures.multiples import Grid, chunks, part_told
from bench.report.figures.planned import Lacking, Planned, Row, Rows, ids, rests_on
from bench.report.figures.source import Entry, Source, classes_of, seeds_told, task_of, with_images
from bench.report.figures.style import FAINT, INK, PAGE, PALE, SMALL, SUBJECT, series, write
from bench.statistics.decisions import Floats, truth

Trained = tuple[Entry, list[Record]]
_MOST = 15


@dataclass(frozen=True)
class Curve:
    """One class of one model: the mean over seeds, from (0, 0) to (1, 1)."""

    index: int
    x: Floats
    y: Floats

    @cached_property
    def area(self) -> float:
        """Equal to the mean of the seeds' AUCs."""
        return float(np.trapezoid(self.y, self.x))


def roc_curve(positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats] | None:
    """False and true positive rates at every threshold; None where one group is empty.

    Images of equal score are passed together, so ties give a slanted line.
    """
    pos = int(positive.sum())
    neg = len(positive) - pos
    if not pos or not neg:
        return None
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    hits, misses = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    return np.concatenate([[0.0], misses / neg]), np.concatenate([[0.0], hits / pos])


def mean_curve(curves: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Vertical mean (Fawcett 2006, section 9.2): the true rates of all curves at each false rate.

    Taken on both sides of every step, so that the area below is the mean of their areas.
    """
    xs = np.unique(np.concatenate([x for x, _ in curves]))
    below = np.mean([_side(x, y, xs, first=True) for x, y in curves], axis=0)
    above = np.mean([_side(x, y, xs, first=False) for x, y in curves], axis=0)
    return np.repeat(xs, 2), np.stack([below, above], axis=1).ravel()


def _side(x: Floats, y: Floats, at: Floats, *, first: bool) -> Floats:
    """The curve's height at each ``at``: where it rises upright, its foot or its top."""
    corners, start = np.unique(x, return_index=True)
    end = np.append(start[1:], len(x)) - 1
    feet, tops = y[start], y[end]
    place = np.searchsorted(corners, at, side="right") - 1
    exact = corners[place] == at
    following = np.minimum(place + 1, len(corners) - 1)
    run = np.maximum(corners[following] - corners[place], np.finfo(np.float64).tiny)
    slanted = tops[place] + (feet[following] - tops[place]) * (at - corners[place]) / run
    return np.where(exact, (feet if first else tops)[place], slanted)


def rocs(source: Source) -> list[Planned | Lacking]:
    """For each data set, all its models, over as many figures as they need."""
    found: list[Planned | Lacking] = []
    for dataset in source.collected.suite.datasets:
        trained = source.trained(dataset.name)
        title = f"ROC curves: {dataset.name}"
        if not trained:
            found.append(Lacking(title, "no finished training", source.run_command))
            continue
        drawn = [
            Drawn(entry, runs, cache(partial(curves_of, source, runs)))
            for entry, runs in trained
            if classes_drawn(runs)
        ]
        if not drawn:
            found.append(Lacking(title, "its test split has images of one class only"))
        subject = next((one for one in drawn if one.entry.role is SUBJECT), None)
        parts = chunks(drawn, _MOST)
        for number, part in enumerate(parts, start=1):
            told = part_told(number, len(parts))
            found.append(_planned(source, dataset.name, part, told, subject))
    return found


def classes_drawn(runs: Sequence[Record]) -> list[int]:
    """The classes that have images, and others beside them; of two classes, the second."""
    splits = [training_of(record).test.per_class for record in runs]
    classes = range(len(splits[0]))
    wanted = classes[-1:] if task_of(runs[0]) == "binary-class" else classes
    return [index for index in wanted if all(split[index].blank is None for split in splits)]


def curves_of(source: Source, runs: Sequence[Record]) -> list[Curve]:
    """The mean curve of every class that is drawn."""
    predicted = [source.predicted(record) for record in runs]
    found = []
    for index in classes_drawn(runs):
        each = [roc_curve(truth(y, p.shape[1])[:, index], p[:, index]) for p, y in predicted]
        whole = [curve for curve in each if curve is not None]
        if len(whole) == len(each):
            found.append(Curve(index, *mean_curve(whole)))
    return found


@dataclass(frozen=True)
class Drawn:
    """One model's panel; its curves are made when they are first asked for."""

    entry: Entry
    runs: list[Record]
    curves: Callable[[], list[Curve]]


def _planned(
    source: Source, dataset: str, part: Sequence[Drawn], told: str, subject: Drawn | None
) -> Planned:
    records = [record for panel in part for record in panel.runs]
    names = classes_of(records[:1])
    seeds = seeds_told([panel.runs for panel in part])
    drawn = classes_drawn(part[0].runs)
    one = len(drawn) == 1 and task_of(records[0]) == "binary-class"
    what = f"class {names[-1]!r} found among the others" if one else "each class against the rest"
    grey = " Grey: the subject's curve." if one and subject else ""
    blank = sorted(set(range(len(names))) - set(drawn)) if not one else []
    without = ", ".join(names[index] for index in blank)
    absent = f" No curve for {without}: the test split has no image of it." if blank else ""
    where = with_images(dataset, records[0], "test")
    caption = (
        f"Curves on {where}, {what}; {seeds}: the true positive rate is averaged over "
        f"seeds at each false positive rate, so the area is the mean of the seeds' AUCs; no "
        f"intervals."
        f"{grey}{absent} {rests_on(records, source.collected.stale)}"
    )
    return Planned(
        name=f"roc-{dataset}{told}",
        title=f"ROC curves: {dataset}{told}",
        caption=caption,
        rows=Rows(partial(_rows, dataset, names, part)),
        records=records,
        draw=partial(_draw, names, part, subject if one else None),
        beside=subject.runs if one and subject else [],
    )


def _rows(dataset: str, names: Sequence[str], part: Sequence[Drawn]) -> list[Row]:
    """Corners alone: points on a straight line between their neighbours are left out. The records
    of a curve stand in its first row."""
    return [
        {
            "data set": dataset,
            "model": panel.entry.label,
            "class": names[curve.index],
            "false positive rate": x,
            "true positive rate": y,
            "area": curve.area,
            "records": "" if number else ids(panel.runs),
        }
        for panel in part
        for curve in panel.curves()
        for number, (x, y) in enumerate(corners(curve.x, curve.y))
    ]


def corners(x: Floats, y: Floats) -> list[tuple[float, float]]:
    """The points at which a line turns, and its ends."""
    points = list(dict.fromkeys(zip(x.tolist(), y.tolist(), strict=True)))
    kept = points[:1]
    for here, after in itertools.pairwise(points[1:]):
        (x0, y0), (x1, y1), (x2, y2) = kept[-1], here, after
        if abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)) > 1e-12:
            kept.append(here)
    return kept + points[1:][-1:]


def _draw(names: Sequence[str], part: Sequence[Drawn], subject: Drawn | None) -> Figure:
    one = len(names) == 2 and all(len(panel.curves()) == 1 for panel in part)
    of_subject = subject.curves() if subject else []
    columns = min(5, max(3, len(part)))
    probe = Grid(len(part), columns, (1.0,))
    handles = [] if one else _class_handles(names, part)
    rows = _legend_rows(handles)
    grid = Grid(len(part), columns, (probe.wide,), head=0.06 + ROW * rows * 1.1)
    figure = grid.figure()
    for index, panel in enumerate(part):
        entry, curves = panel.entry, panel.curves()
        (axes,) = grid.axes(figure, index)
        grid.title(figure, index, entry)
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=0.6, linestyle=(0, (3, 2)))
        if entry.role is not SUBJECT:
            for curve in of_subject:
                axes.plot(curve.x, curve.y, color=FAINT, linewidth=2.4, solid_capstyle="round")
        for curve in curves:
            look = series(0) if one else series(curve.index)
            axes.plot(curve.x, curve.y, linewidth=1.1, **look)
        areas = [curve.area for curve in curves]
        label = "AUC" if one else "mean AUC" if len(areas) == len(names) else "mean of those drawn"
        text = f"{label} {100 * float(np.mean(areas)):.1f} %"
        axes.text(0.97, 0.05, text, ha="right", fontsize=SMALL, transform=axes.transAxes)
        _square(axes)
        if index % columns == 0:
            grid.ylabel(axes, "true positive rate")
    write(figure, grid.middle, 0.03, "false positive rate", ha="center", va="bottom")
    if handles:
        _legend(figure, handles, grid.left)
    return figure


def _square(axes: Axes) -> None:
    axes.set_xlim(-0.02, 1)
    axes.set_ylim(0, 1.02)
    for set_ticks in (axes.set_xticks, axes.set_yticks):
        set_ticks([0, 0.5, 1], ["0", "0.5", "1"])


def _class_handles(names: Sequence[str], part: Sequence[Drawn]) -> list[Line2D]:
    present = sorted({curve.index for panel in part for curve in panel.curves()})
    longest = 1.9
    return [
        Line2D([], [], label=shortened(names[i], longest, SMALL), linewidth=1.1, **series(i))
        for i in present
    ]


def _legend_columns(handles: Sequence[Line2D]) -> int:
    widest = max((width_of(str(h.get_label()), SMALL) for h in handles), default=1.0)
    return max(1, min(len(handles), int((PAGE - 0.4) / (widest + 0.5))))


def _legend_rows(handles: Sequence[Line2D]) -> int:
    return -(-len(handles) // _legend_columns(handles)) if handles else 0


def _legend(figure: Figure, handles: Sequence[Line2D], left: float) -> None:
    look: dict[str, Any] = {"columnspacing": 1.2, "handletextpad": 0.5, "labelcolor": INK}
    figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=((left - 0.06) / PAGE, 1.0),
        ncols=_legend_columns(handles),
        borderaxespad=0.1,
        labelspacing=0.3,
        **look,
    )
