"""Trainings of a tree: the score on test and the bits of the weights, for each seed asked for."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from bench.regress.probes.answering import answer
from bench.regress.probes.checking import run_fields

THRESHOLD = 0.5  # MedMNIST's, for two classes and for several labels


def weights_sha256(model: nn.Module) -> str:
    """Over every tensor of the state, in its order."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def scored(logits: Any, labels: Any, task: str) -> tuple[float | None, float]:
    """AUC and ACC by MedMNIST's rules, without a line of the code under trial.

    AUC: mean over the classes that have images and others beside them, of two classes the second's.

    Args:
        logits: ``(N, C)``.
        labels: ``(N,)``, or ``(N, C)`` zeros and ones for several labels.
    """
    exact = np.asarray(logits, np.float64)
    if task == "multi-label, binary-class":
        probs = 1 / (1 + np.exp(-exact))
        truth, said = labels == 1, probs > THRESHOLD
        right = (said == truth).mean()
    else:
        shifted = np.exp(exact - exact.max(axis=1, keepdims=True))
        probs = shifted / shifted.sum(axis=1, keepdims=True)
        truth = labels[:, None] == np.arange(probs.shape[1])
        two = task == "binary-class"
        decided = (probs[:, 1] > THRESHOLD).astype(int) if two else probs.argmax(axis=1)
        right = (decided == labels).mean()
        truth, probs = (truth[:, 1:], probs[:, 1:]) if two else (truth, probs)
    known = [c for c in range(truth.shape[1]) if 0 < truth[:, c].sum() < len(truth)]
    aucs = [roc_auc_score(truth[:, c], probs[:, c]) for c in known]
    return float(np.mean(aucs)) if aucs else None, float(right)


def train(cell: dict[str, Any], dataset: Any, seed: int, threads: int) -> dict[str, Any]:
    """One training; the test split is opened once, after selection."""
    from bench.data.feed import make_resident
    from bench.evaluation.predict import predict
    from bench.evaluation.scores import score
    from bench.run.experiment import prepare
    from bench.run.surroundings import surroundings
    from bench.specs import RunSpec

    started = time.perf_counter()
    fresh = dataset.for_next_run()
    spec = RunSpec.model_validate(
        run_fields(
            cell["model"],
            fresh,
            cell["protocol"],
            image_size=cell["image_size"],
            source_size=cell["source_size"],
            seed=seed,
            threads=threads,
        )
    )
    with surroundings(spec):
        selection = prepare(spec, fresh).trained(lambda progress: None)
        test = fresh.test.open(selection)
        feed = make_resident(
            test,
            image_size=spec.image_size,
            channels=spec.channels,
            control=None,
            device=torch.device("cpu"),
        )
        logits = predict(
            selection.model,
            feed,
            batch_size=spec.protocol.eval_batch_size,
            channels=spec.channels,
            precision=spec.precision,
        )
    labels = feed.labels.numpy()
    told = score(logits, labels, dataset.task, dataset.class_names)
    auc, acc = scored(logits, labels, dataset.task)
    return {
        "seed": seed,
        "auc": auc,
        "acc": acc,
        "told_auc": told.auc_present,
        "told_acc": told.acc,
        "weights_sha256": weights_sha256(selection.model),
        "losses": [epoch.train_loss for epoch in selection.epochs],
        "wall_s": time.perf_counter() - started,
    }


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Every cell asked for, or why its data cannot be had."""
    from bench.data import catalog
    from bench.errors import DataUnavailable
    from bench.specs import DatasetSpec

    cells: list[dict[str, Any]] = []
    for cell in request["cells"]:
        found: dict[str, Any] = {"trainings": [], "unavailable": None, "checksum": None}
        try:
            wanted = DatasetSpec.model_validate(cell["dataset"])
            dataset = catalog.load(wanted, cell["source_size"])
        except DataUnavailable as error:
            found["unavailable"] = str(error)
        else:
            found["checksum"] = dataset.source.checksum
            found["trainings"] = [
                train(cell, dataset, seed, request["threads"]) for seed in cell["seeds"]
            ]
        cells.append(found)
    return {"cells": cells}


if __name__ == "__main__":
    answer(look)
