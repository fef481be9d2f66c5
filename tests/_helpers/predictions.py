"""Predictions of runs in memory, with a chosen share of right decisions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.report.verdicts.runs import RunPredictions
from bench.specs import Task

MULTI: Task = "multi-label, binary-class"


def run_of(
    model: str,
    dataset: str,
    seed: int,
    right: float = 0.8,
    *,
    task: Task = "binary-class",
    classes: int = 2,
    images: tuple[int, int] = (60, 120),
    **changes: Any,
) -> RunPredictions:
    """A run whose decisions are right about ``right`` of the time; labels depend on the data set
    alone, predictions on all of its name."""
    of_data = np.random.default_rng(sum(map(ord, dataset)))
    of_run = np.random.default_rng([seed, *map(ord, model + dataset)])
    arrays: dict[str, NDArray[np.generic]] = {}
    for split, count in zip(("val", "test"), images, strict=True):
        labels, logits = _drawn(of_data, of_run, right, task, classes, count)
        arrays |= {f"{split}_labels": labels.astype(np.uint8), f"{split}_logits": logits}
    told: dict[str, Any] = {
        "model": model,
        "dataset": dataset,
        "seed": seed,
        "run_id": f"{model}-{dataset}-{seed}",
        "task": task,
    }
    return RunPredictions(**(told | arrays | changes))


def _drawn(
    of_data: np.random.Generator,
    of_run: np.random.Generator,
    right: float,
    task: Task,
    classes: int,
    count: int,
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    if task == MULTI:
        labels = of_data.integers(0, 2, (count, classes))
        agrees = of_run.random(labels.shape) < right
        logits = np.where(agrees == (labels == 1), 1.0, -1.0) * of_run.uniform(0.2, 3, labels.shape)
        return labels, logits.astype(np.float16)
    labels = of_data.permutation(np.arange(count) % classes)
    wrong = (labels + of_run.integers(1, classes, count)) % classes
    said = np.where(of_run.random(count) < right, labels, wrong)
    logits = of_run.normal(0, 0.3, (count, classes))
    logits[np.arange(count), said] += of_run.uniform(1.5, 4, count)
    return labels, logits.astype(np.float16)
