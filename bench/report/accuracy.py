"""The main comparison: what we measured, and apart from it what others printed."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bench.records.schema import Record
from bench.report.best import (
    SEEDS_RULE,
    SPEED_RULE,
    Best,
    best_by_throughput,
    best_over_seeds,
    told,
)
from bench.report.collect import Collected, Variant, cost_of, training_of
from bench.report.context import STALE as STALE
from bench.report.context import Context as Context
from bench.report.cost_notes import cost_sentences, macs_sentences
from bench.report.published_table import PRINTED, published_cells
from bench.report.shown import SPREAD_OF_ACC, what_is_shown
from bench.report.table.markdown import Row as Row
from bench.report.table.model import Cell, Table, columns_of
from bench.report.text import BLANK, giga, millions, percent, rate
from bench.specs import RunSpec
from bench.statistics.intervals import wilson_over_images
from bench.suite_file import NO_CONTROL

MULTI_LABEL = "multi-label, binary-class"
Value = Callable[[Record], float | None]


@dataclass(frozen=True)
class Measure:
    """One score of one data set, a column of the table."""

    dataset: str
    label: str
    value: Value

    @property
    def key(self) -> str:
        return f"{self.dataset} {self.label}"


def accuracy_table(context: Context) -> Table:
    """One row a model (and device variant), in the suite's order; controls are not in it."""
    collected = context.collected
    measures = [m for dataset in collected.suite.datasets for m in _measures(context, dataset.name)]
    variants = collected.variants or [Variant("cpu", "float32")]
    best = {
        (variant, measure.key): best_over_seeds(_by_model(collected, measure, variant))
        for variant in variants
        for measure in measures
    }
    fastest = _fastest(collected)
    rows = [
        _row(context, model.name, variant, measures, best, fastest)
        for model in collected.suite.models
        for variant in variants
    ]
    many = len(variants) > 1
    over_seeds = {f"{k} ({v})" if many else k: one for (v, k), one in best.items()}
    names = [dataset.name for dataset in collected.suite.datasets]
    groups = {m.key: m.dataset for m in measures} | {f"{name} seeds": name for name in names}
    groups |= dict.fromkeys(("mean ACC (%)", "mean AUC (%)"), "mean")
    printed = [key for row in rows for key in row if key.startswith(PRINTED)]
    groups |= dict.fromkeys(printed, PRINTED)
    legend = _missing(collected) + (told(SEEDS_RULE, over_seeds) if collected.records else [])
    legend += told(SPEED_RULE, fastest)
    columns = columns_of(rows, words=["model"], groups=groups, published=printed)
    read = what_is_shown(collected, SPREAD_OF_ACC)
    return context.table("accuracy", "Accuracy", columns, rows, read=read, legend=legend)


def _missing(collected: Collected) -> list[str]:
    """In the table itself, since it may stand apart from the page that lists what is missing."""
    total, open_cells = len(collected.suite.cells), len(collected.problems)
    if not open_cells:
        return []
    run = f"python -m bench run {collected.suite.reference}"
    return [f"{open_cells} of {total} runs of the suite are missing: `{run}` makes them."]


def control_table(context: Context) -> Table:
    """Each model that was trained under input controls: without, then under each of them."""
    collected = context.collected
    controls = [label for label in collected.controls if label != NO_CONTROL]
    rows = []
    for model in collected.suite.models:
        for dataset in collected.suite.datasets:
            for variant in collected.variants:
                runs = {
                    label: collected.done.get((model.name, dataset.name, label, variant), [])
                    for label in [NO_CONTROL, *controls]
                }
                if not any(runs[label] for label in controls):
                    continue
                every = [record for records in runs.values() for record in records]
                row = {"model": context.model(_label(collected, model.name, variant), every)}
                row["data set"] = Cell(dataset.name)
                for label, records in runs.items():
                    name = "ACC (%)" if label == NO_CONTROL else f"ACC (%) under {label}"
                    row[name] = _score(context, records, _acc, label="ACC (%)")
                rows.append(row)
    columns = columns_of(rows, words=["model", "data set"])
    return context.table("accuracy-controls", "Input controls", columns, rows, read=_CONTROLS_READ)


def params_as_trained(context: Context, model: str, variant: Variant) -> Cell | None:
    """Trainable parameters (M) with the head of the first data set that was trained on."""
    for dataset in context.collected.suite.datasets:
        for record in context.collected.done.get((model, dataset.name, NO_CONTROL, variant), []):
            count = training_of(record).params_trainable
            return context.cell(millions(count), count / 1e6, [record])
    return None


def _measures(context: Context, dataset: str) -> list[Measure]:
    """ACC and AUC; and both over the test images that have no copy in train or val, if any has."""
    found = [Measure(dataset, "ACC (%)", _acc), Measure(dataset, "AUC (%)", _auc)]
    audit = context.audits.by_name.get(dataset)
    if audit is None or not audit.contaminated_test.images:
        return found
    without, count = context.audits.without, len(audit.contaminated_test.images)
    copies = f"without {count} test {'copy' if count == 1 else 'copies'}"

    def acc(record: Record) -> float | None:
        return without[record.id].acc if record.id in without else None

    def auc(record: Record) -> float | None:
        return without[record.id].auc if record.id in without else None

    return [
        *found,
        Measure(dataset, f"ACC {copies} (%)", acc),
        Measure(dataset, f"AUC {copies} (%)", auc),
    ]


def _by_model(
    collected: Collected, measure: Measure, variant: Variant
) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for model in collected.suite.models:
        for record in collected.done.get((model.name, measure.dataset, NO_CONTROL, variant), []):
            score = measure.value(record)
            if score is not None and isinstance(record.spec, RunSpec):
                found.setdefault(model.name, {})[record.spec.seed] = score
    return found


def _row(
    context: Context,
    model: str,
    variant: Variant,
    measures: list[Measure],
    best: dict[tuple[Variant, str], Best],
    fastest: dict[str, Best],
) -> dict[str, Cell]:
    collected = context.collected
    runs = {
        dataset.name: collected.done.get((model, dataset.name, NO_CONTROL, variant), [])
        for dataset in collected.suite.datasets
    }
    every = [record for records in runs.values() for record in records]
    row = {"model": context.model(_label(collected, model, variant), every)}
    row |= _cost_cells(context, model, variant, fastest)
    for dataset, records in runs.items():
        for measure in measures:
            if measure.dataset == dataset:
                bold = model in best[variant, measure.key].models
                row[measure.key] = _score(
                    context, records, measure.value, label=measure.label, bold=bold
                )
        seeds = len(records)
        row[f"{dataset} seeds"] = context.cell(str(seeds) if seeds else BLANK, seeds, records)
    if len(runs) > 1:
        row["mean ACC (%)"] = _over_datasets(context, runs, _acc)
        row["mean AUC (%)"] = _over_datasets(context, runs, _auc)
    return row | published_cells(context, model)


def _label(collected: Collected, model: str, variant: Variant) -> str:
    return model if len(collected.variants) < 2 else f"{model} ({variant})"


def _fastest(collected: Collected) -> dict[str, Best]:
    """Column of throughput → its best; machines are never compared."""
    machines = list(dict.fromkeys(machine for _, machine in collected.costs))
    return {
        _speed_key(machines, machine): best_by_throughput(
            {m: cost_of(r) for (m, where), r in collected.costs.items() if where == machine}
        )
        for machine in machines
    }


def _speed_key(machines: list[str], machine: str) -> str:
    return "images/s" if len(machines) == 1 else f"images/s on {machine}"


def _cost_cells(
    context: Context, model: str, variant: Variant, fastest: dict[str, Best]
) -> dict[str, Cell]:
    """Parameters, MACs and throughput; one throughput column for each machine that measured."""
    collected = context.collected
    machines = list(dict.fromkeys(device for _, device in collected.costs))
    found = {device: collected.costs.get((model, device)) for device in machines}
    first = next((record for record in found.values() if record is not None), None)
    params = params_as_trained(context, model, variant)
    row = {"params (M)": params or Cell(BLANK, state="missing")}
    row["MACs (G)"] = Cell(BLANK, state="missing")
    if first is not None:
        cost = cost_of(first)
        if params is None:
            count = cost.params_trainable
            row["params (M)"] = context.cell(millions(count), count / 1e6, [first])
        text = giga(cost.macs) + ("" if cost.macs_complete else " incomplete")
        row["MACs (G)"] = context.cell(text, cost.macs / 1e9, [first], macs_sentences(first))
    for device, record in found.items():
        column = _speed_key(machines, device)
        row[column] = Cell(BLANK, state="missing")
        if record is not None:
            speed, bold = cost_of(record).throughput_images_per_s_median, fastest[column].models
            of_macs = macs_sentences(record)  # these stand at the MACs
            told = [one for one in cost_sentences(context, record) if one not in of_macs]
            row[column] = context.cell(rate(speed), speed, [record], told, best=model in bold)
    return row


def _score(
    context: Context, records: list[Record], value: Value, *, label: str, bold: bool = False
) -> Cell:
    """Mean ± sd over seeds in percent; a single ACC with Wilson's interval over test images."""
    values = [value(record) for record in records]
    present = [v for v in values if v is not None]
    if len(present) < len(values):
        blank = next(
            (c.blank for r in records for c in training_of(r).test.per_class if c.blank), None
        )
        return context.cell(BLANK, None, records, [f"Undefined: {blank}."] if blank else [])
    text = percent(present) if len(records) != 1 or label != "ACC (%)" else _of_one(records[0])
    mean = 100 * statistics.fmean(present) if present else None
    return context.cell(text, mean, records, best=bold)


def _of_one(record: Record) -> str:
    test = training_of(record).test
    if training_of(record).data.task == MULTI_LABEL:
        return percent([test.acc])  # a mean over labels is no proportion of images
    interval = wilson_over_images(round(test.acc * test.images), test.images)
    return f"{percent([test.acc])} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def _over_datasets(context: Context, runs: dict[str, list[Record]], value: Value) -> Cell:
    """The mean over data sets of means over seeds, only where every one of them has a value."""
    means = []
    for records in runs.values():
        values = [v for v in map(value, records) if v is not None]
        if values and len(values) == len(records):
            means.append(statistics.fmean(values))
    every = [record for records in runs.values() for record in records]
    if len(means) < len(runs):
        return context.cell(BLANK, None, every)
    mean = statistics.fmean(means)
    return context.cell(percent([mean]), 100 * mean, every)


def _acc(record: Record) -> float | None:
    return training_of(record).test.acc


def _auc(record: Record) -> float | None:
    return training_of(record).test.auc


_CONTROLS_READ = (
    "Every image of train, val and test alike has one cue taken away: `blur` removes fine texture, "
    "`shuffle` the layout. Each is a training of its own."
)
