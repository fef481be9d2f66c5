"""Trainings of a tree: the score on test and the bits of the weights, for each seed asked for."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import torch
from torch import nn

from bench.regress.probes.answering import answer
from bench.regress.probes.checking import run_fields


def weights_sha256(model: nn.Module) -> str:
    """Over every tensor of the state, in its order."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


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
    scores = score(logits, feed.labels.numpy(), dataset.task, dataset.class_names)
    return {
        "seed": seed,
        "auc": scores.auc_present,
        "acc": scores.acc,
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
