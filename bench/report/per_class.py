"""Each class on its own: a mean over classes hides the one that a network never finds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence

import numpy as np

from bench.evaluation.scores import THRESHOLD, is_multi_label, probabilities
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.code import precisions_digest
from bench.report.collect import training_of
from bench.report.context import Context
from bench.report.derived import from_predictions
from bench.report.shown import SPREAD, what_is_shown
from bench.report.table.model import Cell, Table, columns_of
from bench.report.text import BLANK, percent
from bench.specs import RunSpec, Task
from bench.suite_file import NO_CONTROL

NAME = "per-class"


def per_class_table(context: Context, store: Store) -> Table:
    """One row a model, data set and class; runs under input controls are not in it.

    Raises:
        InputError: predictions cannot be read.
    """
    collected, rows = context.collected, []
    several = len(collected.suite.datasets) > 1
    shown = [one for key, found in collected.done.items() if key[2] == NO_CONTROL for one in found]
    known = precisions_by_class(shown, store)
    for model in collected.suite.models:
        for dataset in collected.suite.datasets:
            for variant in collected.variants:
                records = collected.done.get((model.name, dataset.name, NO_CONTROL, variant), [])
                if not records:
                    continue
                precisions = [known[record.id] for record in records]
                for index, name in enumerate(training_of(records[0]).data.class_names):
                    row = {"model": context.model(model.name, records)}
                    row |= {"data set": Cell(dataset.name)} if several else {}
                    row |= {"device": Cell(str(variant))} if len(collected.variants) > 1 else {}
                    row |= {"class": Cell(name)}
                    rows.append(row | _scores(context, records, index, precisions))
    read = f"{what_is_shown(collected, SPREAD)} {_READ}"
    columns = columns_of(rows, words=["model", "data set", "device", "class"])
    empty = f"No run is finished: `python -m bench run {collected.suite.reference}` trains them."
    return context.table(NAME, "Each class", columns, rows, read=read, empty=empty)


def precisions_by_class(records: Sequence[Record], store: Store) -> dict[str, list[float | None]]:
    """By the ids of the runs; those worked out before come from the cache. Raises as below."""

    def make(record: Record) -> bytes:
        return json.dumps(precision_by_class(record, store)).encode()

    made = from_predictions("precision", precisions_digest(), records, store, make)
    return {record.id: json.loads(one) for record, one in zip(records, made, strict=True)}


def precision_by_class(record: Record, store: Store) -> list[float | None]:
    """Of the test images called a class, the share that is of it; None where none is called so.

    Raises:
        InputError: its predictions cannot be read.
    """
    data, stored = training_of(record).data, store.load_predictions(record.id)
    logits, labels = stored["test_logits"], stored["test_labels"].astype(np.int64)
    task: Task = data.task  # type: ignore[assignment]  # records keep what a spec has checked
    probs, classes = probabilities(logits.astype(np.float64), task), len(data.class_names)
    if is_multi_label(task):
        called, truth = probs > THRESHOLD, labels == 1
    else:
        truth = labels[:, None] == np.arange(classes)
        decided = probs[:, -1] > THRESHOLD if task == "binary-class" else probs.argmax(axis=1)
        called = decided[:, None] == np.arange(classes)
    right, every = (called & truth).sum(axis=0), called.sum(axis=0)
    return [float(r) / int(n) if n else None for r, n in zip(right, every, strict=True)]


def _scores(
    context: Context,
    records: Sequence[Record],
    index: int,
    precisions: Sequence[Sequence[float | None]],
) -> dict[str, Cell]:
    classes = [training_of(record).test.per_class[index] for record in records]
    blank = next((f"Undefined: {one.blank}." for one in classes if one.blank), "")
    uncalled = [
        str(record.spec.seed)
        for record, found in zip(records, precisions, strict=True)
        if found[index] is None and isinstance(record.spec, RunSpec)
    ]
    seeds = f"{'seed' if len(uncalled) == 1 else 'seeds'} {', '.join(uncalled)}"
    never = f"No test image is called {classes[0].name!r} with {seeds}."
    precision = [found[index] for found in precisions]
    images = classes[0].support
    return {
        "test images": context.cell(f"{images:,}", images, records),
        "sensitivity (%)": _mean(context, [one.recall for one in classes], records, blank),
        "precision (%)": _mean(context, precision, records, never),
        "AUC, one against the rest (%)": _mean(
            context, [one.auc for one in classes], records, blank
        ),
    }


def _mean(
    context: Context, values: Sequence[float | None], records: Sequence[Record], why: str
) -> Cell:
    """Over all seeds, or a blank with the reason where one has no value."""
    present = [value for value in values if value is not None]
    if len(present) < len(values):
        return context.cell(BLANK, None, records, [why])
    return context.cell(percent(present), 100 * statistics.fmean(present), records)


_READ = (
    "*Sensitivity* (recall): of the images of a class, those called it. *Precision*: of the images "
    "called a class, those of it. Two classes are cut at 0.5, each label of several on its own; "
    "of more classes the likeliest is called. Of two classes both have the same AUC."
)
