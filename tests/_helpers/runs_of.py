"""Finished runs of any task, kept with predictions that follow from a seed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.scores import is_multi_label, score
from bench.records.schema import DataSeen, Epoch, Record, SuiteSeen, TrainingResult
from bench.records.store import Store
from bench.specs import Task
from bench.suite import Suite, run_spec
from tests._helpers.records import provenance


def predictions(
    classes: int, task: Task, seed: int, images: int, skill: float
) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Logits that know the labels by ``skill`` standard deviations of their noise."""
    rng = np.random.default_rng(seed)
    labels_rng = np.random.default_rng(7)  # the same test split for every model and seed
    if is_multi_label(task):
        labels = labels_rng.integers(2, size=(images, classes))
        noise = rng.normal(size=(images, classes))
        return (noise + skill * (labels - 0.5)).astype(np.float16), labels.astype(np.uint8)
    labels = np.arange(images) % classes
    noise = rng.normal(size=(images, classes))
    noise[np.arange(images), labels] += skill
    return noise.astype(np.float16), labels.astype(np.uint8)


def keep_run(
    store: Store,
    suite: Suite,
    model: str,
    dataset: str,
    seed: int,
    *,
    classes: tuple[str, ...] = ("a", "b"),
    task: Task = "binary-class",
    images: int = 60,
    skill: float = 1.5,
    predicted: tuple[NDArray[np.generic], NDArray[np.generic]] | None = None,
    **changes: Any,
) -> Record:
    """Keep one finished run of a suite's cell; ``changes`` are fields of its result.

    Args:
        predicted: logits and labels of the test split, in place of made-up ones.
    """
    cell = next(
        cell
        for cell in suite.cells
        if (cell.model.name, cell.dataset.name, cell.seed) == (model, dataset, seed)
    )
    spec = run_spec(suite, cell, checksum="x")
    salt = int(hashlib.sha256(f"{model} {dataset} {seed}".encode()).hexdigest()[:8], 16)
    val = predictions(len(classes), task, salt + 1, images, skill)
    test = predicted or predictions(len(classes), task, salt, images, skill)
    arrays: dict[str, NDArray[np.generic]] = {
        "val_logits": val[0],
        "val_labels": val[1],
        "test_logits": test[0],
        "test_labels": test[1],
    }
    stored = store.save_predictions(spec.id, arrays)
    scores = {
        split: score(
            np.asarray(arrays[f"{split}_logits"], np.float64),
            np.asarray(arrays[f"{split}_labels"], np.int64),
            task,
            classes,
        )
        for split in ("val", "test")
    }
    result = TrainingResult.model_validate(
        {
            "data": DataSeen(
                task=task,
                class_names=list(classes),
                channels_in_file=1,
                images={"train": images, "val": images, "test": images},
                official=True,
                synthetic=False,
                licence="",
                note="",
            ),
            "params_trainable": 1_000_000 + salt % 9_000_000,
            "model_arguments": {},
            "omitted_arguments": {},
            "omitted_augmentations": {},
            "notes": [],
            "epochs": _curve(suite.protocol.epochs, scores["val"].loss, scores["val"].auc, salt),
            "selected_epoch": 2,
            "selected_on": "validation auc",
            "test_opened_at": datetime(2026, 1, 1, tzinfo=UTC),
            "val": scores["val"],
            "test": scores["test"],
            "train_images_per_s": 100.0,
            "predictions_sha256": hashlib.sha256(stored).hexdigest(),
        }
        | changes
    )
    record = Record(
        kind="training",
        id=spec.id,
        status="done",
        reason=None,
        spec=spec,
        suite=SuiteSeen(name=suite.name, seeds=suite.seeds),
        provenance=provenance(spec),
        attempts=[],
        training=result,
    )
    store.save(record)
    return record


def _curve(epochs: int, loss: float, auc: float | None, salt: int) -> list[Epoch]:
    rng = np.random.default_rng(salt)
    return [
        Epoch(
            epoch=number,
            train_loss=1.5 / number + 0.02 * float(rng.random()),
            val_loss=loss + 0.5 / number,
            val_acc=0.5,
            val_auc=None if auc is None else auc * (1 - 0.3 / number),
            lr=1e-3,
            seconds=1.0,
        )
        for number in range(1, epochs + 1)
    ]
