"""One training record against its own predictions, its data's labels and its learning curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bench.errors import InputError
from bench.evaluation.scores import score
from bench.records.schema import Epoch, Record, Scores, TrainingResult
from bench.records.store import Store
from bench.search.record import Trial, path_of
from bench.specs import RunSpec, Task
from bench.toml_file import shown
from bench.verify.finding import NOTHING, Finding, differences
from bench.verify.labels import SPLITS, Labels

Arrays = dict[str, NDArray[np.generic]]


def check_run(record: Record, store: Store, labels: Labels | str) -> list[Finding]:
    """All in which a finished training does not hold.

    Args:
        labels: of the data set's file; a text (why there are none) is not compared with.
    """
    result, spec = record.training, record.spec
    assert result is not None
    assert isinstance(spec, RunSpec)
    file = shown(store.path(record.id))
    found = _selection(file, result.epochs, result.selected_epoch, result.val, spec)
    if result.selected_on != f"validation {spec.protocol.select}":
        wanted = f"validation {spec.protocol.select}"
        found.append(Finding(file, "training.selected_on", result.selected_on, wanted))
    return [*_predictions(record, result, store, labels), *found]


def check_trial(trial: Trial, results: Store) -> list[Finding]:
    """The same of a trial of a search, which keeps no predictions."""
    result = trial.result
    if result is None:
        return []
    file = shown(path_of(results.root, trial.id))
    return _selection(file, result.epochs, result.selected_epoch, result.val, trial.spec)


def _predictions(
    record: Record, result: TrainingResult, store: Store, labels: Labels | str
) -> list[Finding]:
    file, kept = shown(store.path(record.id)), shown(store.predictions_path(record.id))
    found = []
    if not store.has_predictions(record):
        told = "other bytes" if store.predictions_path(record.id).exists() else NOTHING
        digest = f"SHA-256 {result.predictions_sha256}"
        found.append(Finding(kept, "predictions", digest, told))
    try:
        arrays = store.load_predictions(record.id)
    except InputError as error:
        if found:
            return found
        return [Finding(kept, "predictions", "readable", error.problem)]
    for split, written in zip(SPLITS, (result.val, result.test), strict=True):
        if isinstance(labels, dict):
            found += _labels(kept, split, arrays, labels)
        try:
            scored = _scored(arrays, split, result)
        except (KeyError, ValueError, IndexError) as error:
            found.append(Finding(kept, split, "predictions that can be scored", str(error)))
            continue
        values = differences(
            written.model_dump(mode="json"), scored.model_dump(mode="json"), f"training.{split}"
        )
        found += [Finding(file, place, was, now) for place, was, now in values]
    return found


def _scored(arrays: Arrays, split: str, result: TrainingResult) -> Scores:
    logits = arrays[f"{split}_logits"].astype(np.float64)
    labels = arrays[f"{split}_labels"].astype(np.int64)
    return score(logits, labels, cast(Task, result.data.task), tuple(result.data.class_names))


def _labels(file: str, split: str, arrays: Arrays, labels: Labels) -> list[Finding]:
    place = f"{split}_labels"
    if place not in arrays:
        return [Finding(file, place, NOTHING, "the data set's labels")]
    was, now = arrays[place].astype(np.int64), labels[split]
    if was.shape != now.shape:
        return [Finding(file, place, f"shape {was.shape}", f"shape {now.shape}")]
    return [
        Finding(file, f"{place}[{','.join(map(str, index))}]", str(was[index]), str(now[index]))
        for index in map(tuple, np.argwhere(was != now))
    ]


def _selection(
    file: str, epochs: Sequence[Epoch], selected: int, val: Scores, spec: RunSpec
) -> list[Finding]:
    """The first of the best epochs by the protocol's criterion, and its line of the curve."""
    numbers = [epoch.epoch for epoch in epochs]
    if numbers != list(range(1, spec.protocol.epochs + 1)):
        wanted = f"1 to {spec.protocol.epochs}"
        return [Finding(file, "training.epochs", ", ".join(map(str, numbers)), wanted)]
    best = max(epochs, key=lambda epoch: (_worth(spec.protocol.select, epoch), -epoch.epoch))
    found = []
    if best.epoch != selected:
        found.append(Finding(file, "training.selected_epoch", str(selected), str(best.epoch)))
    if not 1 <= selected <= len(epochs):
        return found
    line = epochs[selected - 1]
    said = {"val_loss": line.val_loss, "val_acc": line.val_acc, "val_auc": line.val_auc}
    scored = {"val_loss": val.loss, "val_acc": val.acc, "val_auc": val.auc_present}
    values = differences(said, scored, f"training.epochs.{selected - 1}")
    return found + [Finding(file, place, was, now) for place, was, now in values]


def _worth(criterion: str, epoch: Epoch) -> float:
    """As ``bench.training.selection`` has it: higher is better, of equals the earlier stays."""
    auc = -math.inf if epoch.val_auc is None else epoch.val_auc
    worth = {"auc": auc, "acc": epoch.val_acc, "loss": -epoch.val_loss}
    return worth.get(criterion, float(epoch.epoch))
