"""Mean ranks over data sets with Nemenyi's critical difference (Demšar 2006, JMLR 7:1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from bench.records.schema import Record
from bench.report.figures.measuring import told_apart
from bench.report.figures.planned import Lacking, Planned, Row, counted, ids, rests_on
from bench.report.figures.scored import METRICS, Metric, by_seed
from bench.report.figures.source import Entry, Source
from bench.report.figures.style import INK, PAGE, PALE, RIVAL, SMALL, new_figure, place

_TITLE = "Mean ranks over data sets"
_NAMES, _ROW, _BAR, _ABOVE = 2.6, 0.15, 0.075, 0.62  # inches


@dataclass(frozen=True)
class Ranked:
    """All models on all data sets by one score, best first.

    Attributes:
        ranks: mean over data sets, from 1; ties share the mean of their ranks.
        critical: difference of mean ranks that Nemenyi's test asks for at 5 %.
        cliques: first and last place of each longest run of models within that difference.
    """

    metric: Metric
    entries: Sequence[Entry]
    ranks: Sequence[float]
    each: Sequence[Sequence[float]]  # by entry, by data set
    critical: float
    cliques: Sequence[tuple[int, int]]


def critical_difference(models: int, datasets: int, alpha: float = 0.05) -> float:
    """Nemenyi's: the Studentized range's quantile over √2, times √(k(k+1) / 6N)."""
    quantile = float(stats.studentized_range.ppf(1 - alpha, models, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(models * (models + 1) / (6 * datasets))


def rank_diagram(source: Source) -> list[Planned | Lacking]:
    """One figure; a line where there are too few data sets or models."""
    names = [dataset.name for dataset in source.collected.suite.datasets]
    if not source.collected.suite.cells:
        return []
    if len(names) < 2:
        return [Lacking(_TITLE, "ranks over data sets need two or more, this suite has one")]
    if len(source.entries) < 3:
        why = f"ranks need three models or more, this suite has {len(source.entries)}"
        return [Lacking(_TITLE, why)]
    whole = [
        (entry, [source.runs(entry, name) for name in names])
        for entry in source.entries
        if all(source.runs(entry, name) for name in names)
    ]
    ranked = [one for metric in METRICS if (one := _ranked(whole, metric)) is not None]
    if not ranked:
        trained = f"trained on all {len(names)} data sets"
        why = f"{counted(len(whole), 'model')} of the 3 it needs, {trained}"
        return [Lacking(_TITLE, why, source.run_command)]
    records = [record for _, groups in whole for runs in groups for record in runs]
    return [
        Planned(
            name="ranks",
            title=_TITLE,
            caption=_caption(source, names, ranked, len(whole), records),
            rows=_rows(names, ranked, whole),
            records=records,
            draw=partial(_draw, ranked),
        )
    ]


def _ranked(whole: Sequence[tuple[Entry, list[list[Record]]]], metric: Metric) -> Ranked | None:
    entries, table = [], []
    for entry, groups in whole:
        scores = [by_seed(runs, metric) for runs in groups]
        means = [float(np.mean([*score.values()])) for score in scores if score is not None]
        if len(means) == len(groups):
            entries.append(entry)
            table.append(means)
    if len(entries) < 3:
        return None
    # equal to the tenth digit is equal: means over seeds carry rounding
    each = stats.rankdata(-np.round(table, 10), axis=0)
    means_of_ranks = each.mean(axis=1)
    order = np.argsort(means_of_ranks, kind="stable")
    ranks = [float(means_of_ranks[index]) for index in order]
    critical = critical_difference(len(entries), each.shape[1])
    return Ranked(
        metric,
        [entries[index] for index in order],
        ranks,
        [[float(rank) for rank in each[index]] for index in order],
        critical,
        cliques(ranks, critical),
    )


def cliques(ranks: Sequence[float], critical: float) -> list[tuple[int, int]]:
    """Longest runs, of two or more, whose ends differ by no more than ``critical``."""
    found: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = max(i for i in range(first, len(ranks)) if ranks[i] - ranks[first] <= critical)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _caption(
    source: Source,
    names: Sequence[str],
    ranked: Sequence[Ranked],
    whole: int,
    records: Sequence[Record],
) -> str:
    differences = ", ".join(
        f"{one.critical:.1f} of {len(one.entries)} ranks ({one.metric})" for one in ranked
    )
    sentences = [
        f"Mean rank over {len(names)} data sets ({', '.join(names)}) by the mean score over seeds; "
        "1 is best. Thick bars join models that Nemenyi's test does not tell apart at 5 % "
        f"(critical difference {differences}); data sets are its only sample, seeds do not enter.",
    ]
    if len(names) < 5:
        sentences.append(f"With {len(names)} data sets it can tell hardly anything apart.")
    left = len(source.entries) - whole
    if left:
        sentences.append(f"{left} models that lack a data set are left out.")
    return " ".join([*sentences, rests_on(records, source.collected.stale)])


def _rows(
    names: Sequence[str],
    ranked: Sequence[Ranked],
    whole: Sequence[tuple[Entry, list[list[Record]]]],
) -> list[Row]:
    records = {entry.number: [r for runs in groups for r in runs] for entry, groups in whole}
    return [
        {
            "score": one.metric,
            "model": entry.label,
            "mean rank": rank,
            **{f"rank on {name}": value for name, value in zip(names, each, strict=True)},
            "critical difference": one.critical,
            "records": ids(records[entry.number]),
        }
        for one in ranked
        for entry, rank, each in zip(one.entries, one.ranks, one.each, strict=True)
    ]


def _draw(ranked: Sequence[Ranked]) -> Figure:
    heights = [_height(one) for one in ranked]
    figure = new_figure(PAGE, sum(heights))
    bottom = sum(heights)
    for one, tall in zip(ranked, heights, strict=True):
        bottom -= tall
        axes = place(figure, 0.0, bottom, PAGE, tall)
        axes.set_axis_off()
        axes.set_xlim(0, PAGE)
        axes.set_ylim(tall, 0)  # inches, downwards
        _diagram(axes, one)
    return figure


def _height(one: Ranked) -> float:
    return _ABOVE + _BAR * len(one.cliques) + _ROW * (math.ceil(len(one.entries) / 2) + 1)


def _diagram(axes: Axes, one: Ranked) -> None:
    count = len(one.entries)
    start, end = _NAMES + 0.15, PAGE - _NAMES - 0.15

    def at(rank: float) -> float:
        return start + (rank - 1) / (count - 1) * (end - start)

    scale = _ABOVE - 0.1
    thin: dict[str, Any] = {"color": INK, "linewidth": 0.7, "solid_capstyle": "butt"}
    axes.plot([start, end], [scale, scale], **thin)
    step = max(1, math.ceil(count / 9))
    for rank in range(1, count + 1):
        axes.plot([at(rank)] * 2, [scale - 0.05, scale], **thin)
        if (rank - 1) % step == 0:
            axes.text(at(rank), scale - 0.08, str(rank), ha="center", va="bottom")
    wide = one.critical / (count - 1) * (end - start)
    fits = wide <= PAGE - 0.2 - start
    if fits:
        axes.plot([start, start + wide], [0.2, 0.2], color=INK, linewidth=1.4)
    told = f"critical difference {one.critical:.2f}" + ("" if fits else ": beyond the scale")
    axes.text(start, 0.16, told, va="bottom", fontsize=SMALL)
    axes.text(0.06, 0.16, f"test {one.metric}", va="bottom", weight="bold")
    bars = scale + 0.08
    for index, (first, last) in enumerate(one.cliques):
        ends = [at(one.ranks[first]) - 0.03, at(one.ranks[last]) + 0.03]
        axes.plot(ends, [bars + _BAR * index] * 2, color=INK, linewidth=2.6)
    _names(axes, one, at, scale, bars + _BAR * len(one.cliques) + 0.06)


def _names(axes: Axes, one: Ranked, at: Any, scale: float, top: float) -> None:
    """The better half on the left, best on top; the rest on the right, worst on top."""
    count = len(one.entries)
    half = math.ceil(count / 2)
    labels, numbers = zip(*((entry.label, entry.number) for entry in one.entries), strict=True)
    names = told_apart(labels, numbers, _NAMES - 0.4, SMALL, "bold")
    for index, (entry, rank) in enumerate(zip(one.entries, one.ranks, strict=True)):
        left = index < half
        y = top + _ROW * (index if left else count - 1 - index)
        edge = _NAMES if left else PAGE - _NAMES
        role = entry.role
        colour = PALE if role is RIVAL else role.colour
        x = at(rank)
        axes.plot([x, x, edge], [scale, y, y], color=colour, linewidth=0.7, zorder=1)
        text = f"{names[index]}  {rank:.1f}" if left else f"{rank:.1f}  {names[index]}"
        axes.text(
            edge + (-0.05 if left else 0.05),
            y,
            text,
            ha="right" if left else "left",
            va="center_baseline",
            weight=role.weight,
            color=INK if role is RIVAL else role.colour,
            gid="name",
        )
