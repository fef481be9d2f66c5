"""The main comparison: what we measured, and beside it what others printed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.records.schema import Record
from bench.report.audits import NO_AUDITS, Audits, without_columns
from bench.report.collect import Collected, Variant, cost_of, training_of
from bench.report.footnotes import Footnotes
from bench.report.places import places_told
from bench.report.published import Published
from bench.report.text import (
    BLANK,
    giga,
    millions,
    percent,
    published_percent,
    rate,
)
from bench.statistics.intervals import wilson_over_images
from bench.suite_file import NO_CONTROL

Row = dict[str, str]
STALE = "Stale: the code that decides this result has changed since."
MULTI_LABEL = "multi-label, binary-class"
PublishedRows = dict[tuple[str, str], list[Published]]


@dataclass
class Context:
    """What drawing one table needs."""

    collected: Collected
    published: PublishedRows
    notes: Footnotes
    audits: Audits = NO_AUDITS


def accuracy_rows(context: Context) -> list[Row]:
    """One row a model (and device variant), in the suite's order; controls are not in it."""
    collected = context.collected
    return [
        _row(context, model.name, variant)
        for model in collected.suite.models
        for variant in collected.variants or [Variant("cpu", "float32")]
    ]


def control_rows(context: Context) -> list[Row]:
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
                label = _label(collected, model.name, variant) + row_marks(context, every)
                row = {"model": label, "data set": dataset.name}
                for label, records in runs.items():
                    name = "ACC (%)" if label == NO_CONTROL else f"ACC (%) under {label}"
                    row[name] = _accuracy_with_interval(records)
                rows.append(row)
    return rows


def _row(context: Context, model: str, variant: Variant) -> Row:
    collected = context.collected
    shown = [
        record
        for dataset in collected.suite.datasets
        for record in collected.done.get((model, dataset.name, NO_CONTROL, variant), [])
    ]
    row = {"model": _label(collected, model, variant) + row_marks(context, shown)}
    row |= _cost_columns(context, model, variant)
    accuracies: list[float] = []
    aucs: list[float | None] = []
    for dataset in collected.suite.datasets:
        records = collected.done.get((model, dataset.name, NO_CONTROL, variant), [])
        name = dataset.name
        row[f"{name} ACC (%)"] = _accuracy_with_interval(records)
        row[f"{name} AUC (%)"] = _scores(context, records, lambda r: training_of(r).test.auc)
        row |= without_columns(context.audits, name, records)
        row[f"{name} seeds"] = str(len(records)) if records else BLANK
        accuracies += _mean(records, lambda r: training_of(r).test.acc)
        aucs += _mean(records, lambda r: training_of(r).test.auc)
    if len(collected.suite.datasets) > 1:
        whole = len(collected.suite.datasets)
        row["mean ACC (%)"] = _average(accuracies, whole)
        row["mean AUC (%)"] = _average([a for a in aucs if a is not None], whole)
    return row | _published_columns(context, model)


def _label(collected: Collected, model: str, variant: Variant) -> str:
    return model if len(collected.variants) < 2 else f"{model} ({variant})"


def row_marks(context: Context, records: Iterable[Record]) -> str:
    """Footnote marks of trainings: stale, unofficial data, what was left out, how it ran."""
    own = list(records)
    sentences = places_told(context.collected.records, own)
    for record in own:
        result, data = training_of(record), record.spec.label.split(" · ")[1]
        if record.id in context.collected.stale:
            sentences.append(STALE)
        if result.data.official is False:
            sentences.append(f"{data}: {result.data.note}")
        sentences += [
            f"{name} is not used: {why}." for name, why in result.omitted_arguments.items()
        ]
        sentences += [
            f"Augmentation {name} is left out: it {why}."
            for name, why in result.omitted_augmentations.items()
        ]
        sentences += result.notes
    return marks(context, sentences)


def cost_marks(context: Context, record: Record) -> str:
    """Footnote marks of a cost measurement: incomplete, noisy, stale, and its own notes."""
    cost, costs = cost_of(record), context.collected.costs.values()
    place = record.provenance.device_name
    sentences = places_told([r for r in costs if r.provenance.device_name == place], [record])
    if not cost.macs_complete:
        missing = ", ".join(sorted(cost.macs_uncounted))
        sentences.append(f"MACs are incomplete, uncounted: {missing}.")
    if cost.macs_counters_differ:
        sentences.append(f"Two counters of MACs differ: {cost.macs_counters_differ}.")
    if cost.noisy:
        sentences.append("Noisy: the machine was loaded while measuring.")
    if record.id in context.collected.stale:
        sentences.append(STALE)
    return marks(context, [*sentences, *cost.notes])


def marks(context: Context, sentences: Iterable[str]) -> str:
    """`` [1][2]`` for the sentences, each once; nothing for none."""
    found = [context.notes.mark(sentence) for sentence in dict.fromkeys(sentences)]
    return " " + "".join(found) if found else ""


def _cost_columns(context: Context, model: str, variant: Variant) -> Row:
    """Parameters, MACs and throughput; one throughput column for each machine that measured."""
    collected = context.collected
    machines = list(dict.fromkeys(device for _, device in collected.costs))
    found = {device: collected.costs.get((model, device)) for device in machines}
    first = next((record for record in found.values() if record is not None), None)
    row = {"params (M)": params_as_trained(collected, model, variant), "MACs (G)": BLANK}
    if first is not None:
        cost = cost_of(first)
        if row["params (M)"] == BLANK:
            row["params (M)"] = millions(cost.params_trainable)
        row["MACs (G)"] = giga(cost.macs) + ("" if cost.macs_complete else " incomplete")
    for device, record in found.items():
        column = "images/s" if len(machines) == 1 else f"images/s on {device}"
        row[column] = BLANK
        if record is not None:
            speed = rate(cost_of(record).throughput_images_per_s_median)
            row[column] = speed + cost_marks(context, record)
    return row


def params_as_trained(collected: Collected, model: str, variant: Variant) -> str:
    """Trainable parameters with the head of the first data set that was trained on."""
    for dataset in collected.suite.datasets:
        for record in collected.done.get((model, dataset.name, NO_CONTROL, variant), []):
            return millions(training_of(record).params_trainable)
    return BLANK


def _scores(
    context: Context, records: list[Record], value: Callable[[Record], float | None]
) -> str:
    values = [value(record) for record in records]
    present = [v for v in values if v is not None]
    if len(present) == len(values):
        return percent(present)
    blank = next(c.blank for r in records for c in training_of(r).test.per_class if c.blank)
    return f"{BLANK} {context.notes.mark(f'Undefined: {blank}.')}"


def _accuracy_with_interval(records: list[Record]) -> str:
    """Mean ± sd over seeds; for a single seed the Wilson interval over test images."""
    values = [training_of(record).test.acc for record in records]
    if len(values) != 1 or training_of(records[0]).data.task == MULTI_LABEL:
        return percent(values)  # a mean over labels is no proportion of images
    test = training_of(records[0]).test
    interval = wilson_over_images(round(test.acc * test.images), test.images)
    return f"{percent(values)} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def _mean(records: list[Record], value: Callable[[Record], float | None]) -> list[float]:
    values = [v for v in map(value, records) if v is not None]
    return [statistics.fmean(values)] if values and len(values) == len(records) else []


def _average(means: list[float], whole: int) -> str:
    """The mean over data sets, only where every one of them has a value."""
    return percent([statistics.fmean(means)]) if len(means) == whole else BLANK


def _published_columns(context: Context, model: str) -> Row:
    """``ACC / AUC at size`` of the first source; the others stand in the list below the table."""
    row = {}
    for dataset in context.collected.suite.datasets:
        if not any(name == dataset.name for _, name in context.published):
            continue
        theirs = context.published.get((model, dataset.name))
        cell = BLANK
        if theirs:
            first = theirs[0]
            scores = f"{published_percent(first.acc)} / {published_percent(first.auc)}"
            size = f" at {first.image_size}" if first.image_size else ""
            cell = f"{scores}{size} {context.notes.mark(source_sentence(first))}"
        row[f"{dataset.name} published ACC / AUC (%)"] = cell
    return row


def source_sentence(row: Published) -> str:
    """Who printed a number, where, and what must be known of it."""
    note = f"; {row.note}" if row.note else ""
    return f"Published as {row.model}: {row.source} ({row.where}){note}."


def published_list(context: Context) -> list[Row]:
    """Every published number on the suite's models and data sets."""
    return [
        {
            "model": model,
            "published as": row.model,
            "data set": dataset,
            "size (px)": row.image_size or BLANK,
            "ACC (%)": published_percent(row.acc),
            "AUC (%)": published_percent(row.auc),
            "source": context.notes.mark(source_sentence(row)),
        }
        for (model, dataset), rows in context.published.items()
        for row in rows
    ]
