"""Accuracy and AUC against throughput and parameters, one figure a data set and machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.records.schema import Record
from bench.report.collect import cost_of, training_of
from bench.report.figures.planned import Lacking, Planned, Row, counted, ids, rests_on
from bench.report.figures.scored import METRICS, Metric, scored
from bench.report.figures.source import Entry, Source, seeds_told
from bench.report.figures.trade_off_panels import draw_panels
from bench.statistics.intervals import IntervalEstimate


@dataclass(frozen=True)
class Place:
    """One model in one panel.

    Attributes:
        x, x_low, x_high: images/s with the interval of the median, or parameters in millions.
        score: the share that is drawn in percent.
        on_front: no other model is as good on both axes and better on one, by these values.
    """

    entry: Entry
    x: float
    x_low: float | None
    x_high: float | None
    score: IntervalEstimate
    on_front: bool = False

    @property
    def y(self) -> float:
        assert self.score.value is not None
        return 100 * self.score.value


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    metric: Metric
    x_label: str
    more_is_better: bool
    places: Sequence[Place]


def trade_offs(source: Source) -> list[Planned | Lacking]:
    """One figure for each data set and each machine that measured costs."""
    collected = source.collected
    suite = collected.suite
    machines: list[str | None] = [*dict.fromkeys(device for _, device in collected.costs)]
    found: list[Planned | Lacking] = []
    if not machines:
        found.append(
            Lacking(
                "Accuracy against throughput",
                "no model of this suite has a cost record",
                f"python -m bench measure {suite.reference}",
            )
        )
    for dataset in suite.datasets:
        trained = source.trained(dataset.name)
        if not trained:
            found.append(
                Lacking(
                    f"Accuracy against cost: {dataset.name}",
                    "no finished training",
                    source.run_command,
                )
            )
            continue
        found += [
            _planned(source, dataset.name, trained, machine) for machine in machines or [None]
        ]
    return found


def _planned(
    source: Source,
    dataset: str,
    trained: list[tuple[Entry, list[Record]]],
    machine: str | None,
) -> Planned:
    costs = {
        entry.model: record
        for entry, _ in trained
        if machine is not None and (record := source.collected.costs.get((entry.model, machine)))
    }
    panels = [
        panel
        for metric in METRICS
        for panel in _panels(source, metric, trained, costs)
        if panel.places
    ]
    records = [*(record for _, runs in trained for record in runs), *costs.values()]
    return Planned(
        name=f"accuracy-and-cost-{dataset}",
        title=f"Accuracy against cost: {dataset}",
        caption=_caption(source, dataset, trained, machine, panels, records),
        rows=_rows(dataset, trained, costs, panels),
        records=records,
        draw=lambda: draw_panels(panels, [entry for entry, _ in trained], _legend(trained, panels)),
    )


def _panels(
    source: Source,
    metric: Metric,
    trained: list[tuple[Entry, list[Record]]],
    costs: dict[str, Record],
) -> list[Panel]:
    scores = {entry.number: scored(source, runs, metric) for entry, runs in trained}
    valued = [(entry, runs) for entry, runs in trained if scores[entry.number].value is not None]
    by_speed = []
    for entry, _ in valued:
        if entry.model in costs:
            cost = cost_of(costs[entry.model])
            speed = cost.throughput_images_per_s_median
            low, high = cost.throughput_images_per_s_low, cost.throughput_images_per_s_high
            by_speed.append(Place(entry, speed, low, high, scores[entry.number]))
    by_size = [
        Place(entry, training_of(runs[0]).params_trainable / 1e6, None, None, scores[entry.number])
        for entry, runs in valued
    ]
    return [
        Panel(metric, "throughput (images/s)", True, with_front(by_speed, more_is_better=True)),
        Panel(metric, "parameters (million)", False, with_front(by_size, more_is_better=False)),
    ]


def with_front(places: Sequence[Place], *, more_is_better: bool) -> list[Place]:
    """The same places; those on the Pareto front are marked.

    Args:
        more_is_better: of the x axis; of the score more always is.
    """
    sign = 1.0 if more_is_better else -1.0
    values = [(sign * place.x, place.y) for place in places]
    return [
        replace(
            place,
            on_front=not any(
                other[0] >= mine[0] and other[1] >= mine[1] and other != mine for other in values
            ),
        )
        for place, mine in zip(places, values, strict=True)
    ]


def _legend(trained: list[tuple[Entry, list[Record]]], panels: Sequence[Panel]) -> dict[str, str]:
    """What the vertical bars are, by what they cover."""
    told = {}
    drawn = [place for panel in panels for place in panel.places if place.score.low is not None]
    if any(place.score.covers == "seeds" for place in drawn):
        seeds = seeds_told([runs for _, runs in trained if len(runs) > 1])
        told["seeds"] = f"95 % t interval over {seeds}"
    if any(place.score.covers == "images" for place in drawn):
        told["images"] = "one seed: 95 % interval over test images (ACC Wilson, AUC DeLong)"
    return told


def _caption(
    source: Source,
    dataset: str,
    trained: list[tuple[Entry, list[Record]]],
    machine: str | None,
    panels: Sequence[Panel],
    records: Sequence[Record],
) -> str:
    first = training_of(trained[0][1][0])
    cost = f", throughput measured on {machine}" if machine else "; throughput is not measured"
    sentences = [
        f"Test ACC and AUC on {dataset} ({first.test.images} test images) of "
        f"{counted(len(trained), 'model')} with {seeds_told([runs for _, runs in trained])}, "
        f"against cost{cost}.",
        "Vertical bars: "
        + ("; ".join(_legend(trained, panels).values()) or "none can be given")
        + (
            "; horizontal bars: 95 % bootstrap interval of the median throughput."
            if machine
            else "."
        ),
        "The front joins models that no other beats in both by these values alone: where bars "
        "overlap it shows no difference.",
    ]
    blanks = {
        f"{place.entry.label} ({panel.metric}): {place.score.blank}"
        for panel in panels
        for place in panel.places
        if place.score.low is None
    }
    if blanks:
        sentences.append(f"Without a vertical bar: {'; '.join(sorted(blanks))}.")
    shown = {(panel.metric, place.entry.number) for panel in panels for place in panel.places}
    absent = [
        f"{entry.label} ({metric} is undefined)"
        for metric in METRICS
        for entry, _ in trained
        if (metric, entry.number) not in shown
    ]
    costless = [
        entry.label
        for entry, _ in trained
        if machine is not None and (entry.model, machine) not in source.collected.costs
    ]
    absent += [f"{label} (throughput not measured)" for label in costless]
    if absent:
        sentences.append(f"Not shown: {', '.join(absent)}.")
    return " ".join([*sentences, rests_on(records, source.collected.stale)])


def _rows(
    dataset: str,
    trained: list[tuple[Entry, list[Record]]],
    costs: dict[str, Record],
    panels: Sequence[Panel],
) -> list[Row]:
    runs_of = {entry.number: runs for entry, runs in trained}
    rows: list[Row] = []
    for panel in panels:
        for place in panel.places:
            entry, runs = place.entry, runs_of[place.entry.number]
            cost = costs.get(entry.model) if panel.more_is_better else None
            rows.append(
                {
                    "data set": dataset,
                    "number": entry.number,
                    "model": entry.label,
                    "score": panel.metric,
                    "value": place.score.value,
                    "low": place.score.low,
                    "high": place.score.high,
                    "interval covers": place.score.covers if place.score.low is not None else None,
                    "against": panel.x_label,
                    "x": place.x,
                    "x low": place.x_low,
                    "x high": place.x_high,
                    "on front": "yes" if place.on_front else "no",
                    "seeds": len(runs),
                    "records": ids([*runs, *([cost] if cost else [])]),
                }
            )
    return rows
