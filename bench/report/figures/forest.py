"""What each part is worth: the ablated network minus the full one, over paired seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bench.records.schema import Record
from bench.report.ablations import FULL
from bench.report.figures.axes import few_ticks
from bench.report.figures.measuring import shortened, width_of
from bench.report.figures.planned import Lacking, Planned, Row, counted, ids, rests_on
from bench.report.figures.scored import METRICS, Metric, by_seed
from bench.report.figures.source import Entry, Source, with_images
from bench.report.figures.style import (
    ABLATION,
    INK,
    PAGE,
    PALE,
    SMALL,
    new_figure,
    place,
    write,
)
from bench.statistics.over_seeds import SeedDifference, difference_over_seeds

_TITLE = "Ablations against the full network"
_ROW, _NAME, _TEXT = 0.21, 1.55, 0.87  # inches: a line, the names' column, the numbers at least
_GAP = 0.25  # inches between the numbers and the panels beside them
_ABOVE, _UNDER, _EDGE = 0.42, 0.4, 0.06
_REGION = "#e3e3e3"


@dataclass(frozen=True)
class Line:
    """One ablation on one data set."""

    dataset: str
    entry: Entry
    full: Sequence[Record]
    runs: Sequence[Record]
    found: dict[Metric, SeedDifference | None]  # None: a score is undefined, or no seed is shared


def ablation_forest(source: Source) -> list[Planned | Lacking]:
    """One figure over all data sets; nothing where a suite has no ablations."""
    suite = source.collected.suite
    asked = [model.name for model in suite.models if model.name in source.removes]
    if not asked or FULL not in {model.name for model in suite.models}:
        return (
            [Lacking(_TITLE, f"this suite has no ablations beside `{FULL}`")] if suite.cells else []
        )
    lines = _lines(source)
    if not lines:
        why = "no ablation is trained with a seed that the full network has too"
        return [Lacking(_TITLE, why, source.run_command)]
    records = [record for line in lines for record in (*line.runs, *line.full)]
    return [
        Planned(
            name="ablations",
            title=_TITLE,
            caption=_caption(source, asked, lines, records),
            rows=_rows(lines),
            records=records,
            draw=lambda: _draw(lines, _region(source)),
        )
    ]


def _region(source: Source) -> float:
    """Half the width of practical equivalence, as the suite has it."""
    return source.collected.suite.settings.statistics.region


def _lines(source: Source) -> list[Line]:
    full_of = {entry.variant: entry for entry in source.entries if entry.model == FULL}
    lines = []
    for dataset in source.collected.suite.datasets:
        for entry, runs in source.trained(dataset.name):
            if entry.model not in source.removes:
                continue
            full = source.runs(full_of[entry.variant], dataset.name)
            found = {metric: _difference(runs, full, metric) for metric in METRICS}
            if found["ACC"] is not None:
                lines.append(Line(dataset.name, entry, full, runs, found))
    return lines


def _difference(
    runs: Sequence[Record], full: Sequence[Record], metric: Metric
) -> SeedDifference | None:
    ours, theirs = by_seed(runs, metric), by_seed(full, metric)
    if ours is None or theirs is None or not ours.keys() & theirs.keys():
        return None
    return difference_over_seeds(ours, theirs)


def _caption(
    source: Source, asked: Sequence[str], lines: Sequence[Line], records: Sequence[Record]
) -> str:
    pairs = sorted({len(line.found["ACC"].seeds) for line in lines if line.found["ACC"]})
    seeds = (
        counted(pairs[0], "paired seed")
        if len(pairs) == 1
        else f"{pairs[0]} to {pairs[-1]} paired seeds"
    )
    first = {line.dataset: line.runs[0] for line in reversed(lines)}
    where = ", ".join(with_images(name, first[name], "test") for name in reversed(first))
    sentences = [
        f"Test ACC and AUC of each ablated network minus those of `{FULL}` on {where}, {seeds} "
        f"(same images in the same order); names are the tables', without `{FULL}_`; what each "
        "removes stands in `ablations.md`. Bars: 95 % t interval over these seeds, on the given "
        "test images, not corrected for the number of comparisons; small dots: each seed; "
        f"shaded: the region of practical equivalence, ± {100 * _region(source):g} points.",
    ]
    if blanks := _blanks(lines):
        sentences.append(f"Without an interval: {'; '.join(blanks)}.")
    drawn = {line.entry.model for line in lines}
    absent = [name for name in asked if name not in drawn]
    if absent:
        sentences.append(f"Not trained beside it yet: {', '.join(absent)}.")
    return " ".join([*sentences, rests_on(records, source.collected.stale)])


def _blanks(lines: Sequence[Line]) -> list[str]:
    """Each reason once, with the ablations that it holds for."""
    holds: dict[str, list[str]] = {}
    for line in lines:
        for metric in METRICS:
            one = line.found[metric]
            if one is None or one.estimate.low is None:
                place = f"{line.entry.label} on {line.dataset} ({metric})"
                holds.setdefault(_why(one, metric), []).append(place)
    every = len(lines) * len(METRICS)
    return [
        f"{'all' if len(places) == every else ', '.join(places)}: {why}"
        for why, places in holds.items()
    ]


def _why(found: SeedDifference | None, metric: Metric) -> str:
    return f"{metric} is undefined" if found is None else str(found.estimate.blank)


def _rows(lines: Sequence[Line]) -> list[Row]:
    rows: list[Row] = []
    for line in lines:
        for metric in METRICS:
            found = line.found[metric]
            if found is None:
                continue
            estimate = found.estimate
            rows.append(
                {
                    "data set": line.dataset,
                    "model": line.entry.label,
                    "score": metric,
                    "difference (points)": _points(estimate.value),
                    "low (points)": _points(estimate.low),
                    "high (points)": _points(estimate.high),
                    "each seed (points)": " ".join(f"{100 * d:.4g}" for d in found.differences),
                    "paired seeds": " ".join(map(str, found.seeds)),
                    "records": ids(line.runs),
                    "records of the full network": ids(line.full),
                }
            )
    return rows


def _points(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _draw(lines: Sequence[Line], region: float) -> Figure:
    datasets = list(dict.fromkeys(line.dataset for line in lines))
    headed = len(datasets) > 1
    slots: list[str | Line] = []
    for dataset in datasets:
        slots += [dataset] if headed else []
        slots += [line for line in lines if line.dataset == dataset]
    tall = _ROW * len(slots)
    height = _ABOVE + tall + _UNDER
    figure = new_figure(PAGE, height)
    numbers = _room(lines)
    wide = (PAGE - _NAME - 2 * numbers - 2 * _EDGE) / 2
    for index, metric in enumerate(METRICS):
        left = _NAME + index * (wide + numbers)
        axes = place(figure, left, _UNDER, wide, tall)
        _panel(axes, slots, metric, region)
        _numbers(figure, slots, metric, left + wide + numbers - (0.14 if index == 0 else 0), tall)
    for row, slot in enumerate(slots):
        y = _UNDER + tall - (row + 0.5) * _ROW
        if isinstance(slot, str):
            name = shortened(slot, PAGE / 2, SMALL, "bold")
            write(figure, _EDGE, y, name, va="center_baseline", weight="bold")
        else:
            name = shortened(_short(slot.entry), _NAME - 0.14, SMALL)
            write(figure, _NAME - 0.08, y, name, va="center_baseline", ha="right")
    title = "" if headed else shortened(f"{datasets[0]}", _NAME, SMALL, "bold")
    write(figure, _EDGE, height - 0.13, title, va="center_baseline", weight="bold")
    _legend(figure, lines, region)
    return figure


def _room(lines: Sequence[Line]) -> float:
    """Inches of a column of numbers: an interval of a hundred points needs more."""
    told_widths = [
        width_of(told(line.found[metric]), SMALL - 0.5) for line in lines for metric in METRICS
    ]
    return max(_TEXT, *told_widths) + _GAP


def _short(entry: Entry) -> str:
    """``no context gate``; the full network's name goes without saying."""
    return entry.label.removeprefix(f"{FULL}_").replace("_", " ")


def _panel(axes: Axes, slots: Sequence[str | Line], metric: Metric, region: float) -> None:
    axes.axvspan(-100 * region, 100 * region, color=_REGION, linewidth=0, zorder=0)
    axes.axvline(0, color=PALE, linewidth=0.7, zorder=1)
    for row, slot in enumerate(slots):
        found = None if isinstance(slot, str) else slot.found[metric]
        if found is None or found.estimate.value is None:
            continue
        estimate, value = found.estimate, 100 * found.estimate.value
        each = [100 * gap for gap in found.differences]
        seeds: dict[str, Any] = {"marker": ".", "markersize": 2.6, "linestyle": "none"}
        axes.plot(each, [row + 0.27] * len(each), color=PALE, zorder=2, **seeds)
        bounded = estimate.low is not None and estimate.high is not None
        if estimate.low is not None and estimate.high is not None:
            ends = [100 * estimate.low, 100 * estimate.high]
            axes.plot(ends, [row, row], color=ABLATION.colour, linewidth=1.1, zorder=3)
        axes.plot(
            [value],
            [row],
            linestyle="none",
            marker=ABLATION.marker,
            markersize=ABLATION.size,
            markerfacecolor=ABLATION.colour if bounded else "white",
            markeredgecolor=ABLATION.colour,
            zorder=4,
        )
    axes.set_ylim(len(slots) - 0.5, -0.5)
    low, high = axes.get_xlim()
    reach = max(abs(low), abs(high), 1.5)
    axes.set_xlim(-reach, reach)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(few_ticks(6 if reach < 50 else 4))
    axes.set_xlabel(f"ablated − full, test {metric} (points)")


def _numbers(
    figure: Figure, slots: Sequence[str | Line], metric: Metric, right: float, tall: float
) -> None:
    look: dict[str, Any] = {"va": "center_baseline", "ha": "right", "fontsize": SMALL - 0.5}
    for row, slot in enumerate(slots):
        if isinstance(slot, str):
            continue
        y = _UNDER + tall - (row + 0.5) * _ROW
        write(figure, right, y, told(slot.found[metric]), **look)
    write(figure, right, _UNDER + tall + 0.09, f"Δ{metric} [95 %]", color=PALE, **look)


def told(found: SeedDifference | None) -> str:
    """``+0.4 [−1.2, +2.0]``; of one pair the value alone."""
    if found is None or found.estimate.value is None:
        return "–"
    value = _signed(found.estimate.value)
    if found.estimate.low is None or found.estimate.high is None:
        return f"{value} [–]"
    return f"{value} [{_signed(found.estimate.low)}, {_signed(found.estimate.high)}]"


def _signed(share: float) -> str:
    text = f"{100 * share:+.1f}"
    return ("+0.0" if text == "-0.0" else text).replace("-", "−")


def _legend(figure: Figure, lines: Sequence[Line], region: float) -> None:
    look: dict[str, Any] = {"marker": ABLATION.marker, "markersize": ABLATION.size}
    look |= {"color": ABLATION.colour}
    found = [one for line in lines for one in line.found.values() if one is not None]
    bounded = {one.estimate.low is not None for one in found}
    hollow: dict[str, Any] = {"markerfacecolor": "white", "linestyle": "none"}
    kinds = {
        True: Line2D([], [], linewidth=1.1, label="mean, 95 % t interval", **look),
        False: Line2D([], [], label="without an interval", **look, **hollow),
    }
    means = [handle for kind, handle in kinds.items() if kind in bounded]
    figure.legend(
        handles=[
            *means,
            Line2D([], [], color=PALE, marker=".", markersize=3, linestyle="none", label="a seed"),
            Patch(color=_REGION, label=f"equivalent in practice (± {100 * region:g})"),
        ],
        loc="upper left",
        bbox_to_anchor=((_NAME - 0.08) / PAGE, 1.0),
        ncols=len(means) + 2,
        columnspacing=1.4,
        handletextpad=0.5,
        borderaxespad=0.1,
        labelcolor=INK,
    )
