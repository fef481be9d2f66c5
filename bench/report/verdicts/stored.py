"""The finished runs of a suite with their stored predictions, apart by kind of device."""

from __future__ import annotations

from typing import TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.collect import Collected, Variant, training_of
from bench.report.verdicts.runs import RunPredictions
from bench.specs import RunSpec, Task
from bench.suite_file import NO_CONTROL


def compared_records(collected: Collected) -> dict[Variant, list[Record]]:
    """Runs without an input control, in the suite's order of models and data sets."""
    found: dict[Variant, list[Record]] = {}
    for variant in collected.variants:
        for model in collected.suite.models:
            for dataset in collected.suite.datasets:
                key = (model.name, dataset.name, NO_CONTROL, variant)
                found.setdefault(variant, []).extend(collected.done.get(key, []))
    return {variant: records for variant, records in found.items() if records}


class Identified(TypedDict):
    """Which run it is."""

    model: str
    dataset: str
    seed: int
    run_id: str
    task: Task


def identified(record: Record) -> Identified:
    """Which run a finished training is."""
    spec = record.spec
    assert isinstance(spec, RunSpec)
    return {
        "model": spec.model.name,
        "dataset": spec.data.name,
        "seed": spec.seed,
        "run_id": record.id,
        "task": cast(Task, training_of(record).data.task),
    }


def read_run(record: Record, store: Store) -> RunPredictions:
    """One run's predictions.

    Raises:
        InputError: the file cannot be read.
        KeyError: it lacks a split.
    """
    arrays = store.load_predictions(record.id)
    return RunPredictions(
        **identified(record),
        val_logits=cast(NDArray[np.floating], arrays["val_logits"]),
        val_labels=cast(NDArray[np.integer], arrays["val_labels"]),
        test_logits=cast(NDArray[np.floating], arrays["test_logits"]),
        test_labels=cast(NDArray[np.integer], arrays["test_labels"]),
    )
