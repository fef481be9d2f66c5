"""Finished runs as they are kept: predictions of a chosen accuracy, scores computed from them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.details import DetailSpec
from bench.evaluation.scores import score
from bench.provenance import source_digest
from bench.records.schema import (
    CostResult,
    DataSeen,
    Epoch,
    Provenance,
    Record,
    SuiteSeen,
    TrainingResult,
)
from bench.records.store import Store
from bench.specs import CostSpec, RunSpec
from bench.suite import Suite, run_spec
from tests._helpers.specs import cost_spec

CLASSES = ("a", "b")
IMAGES = {"train": 10, "val": 40, "test": 100}


def labels_of(images: int) -> NDArray[np.uint8]:
    return (np.arange(images) % 2).astype(np.uint8)


def logits_of(images: int, right: int) -> NDArray[np.float16]:
    """Of which the first ``right`` are decided rightly."""
    said = np.where(np.arange(images) < right, labels_of(images), 1 - labels_of(images))
    sure = 1 + np.arange(images) % 7
    return np.stack([np.where(said == 0, sure, 0), np.where(said == 1, sure, 0)], axis=1).astype(
        np.float16
    )


def provenance(spec: RunSpec | CostSpec | DetailSpec) -> Provenance:
    return Provenance(
        commit="c",
        dirty=False,
        source_digest=source_digest(spec),
        packages={},
        python="3",
        platform="p",
        processor="cpu",
        device_name="cpu",
        threads=2,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        wall_s=10.0,
    )


def train(
    store: Store,
    suite: Suite,
    model: str,
    dataset: str,
    seed: int,
    right: int,
    checksum: str = "x",
    control: str | None = None,
    val_right: int = 30,
    device: Literal["cpu", "cuda"] = "cpu",
) -> Record:
    """Keep a run of which ``right`` of 100 test images are right; its epoch 2 was the best."""
    cell = next(
        cell
        for cell in suite.cells
        if (cell.model.name, cell.dataset.name, cell.seed) == (model, dataset, seed)
        and (cell.control.label if cell.control else None) == control
    )
    spec = run_spec(suite, cell, checksum=checksum, device=device)
    arrays: dict[str, NDArray[np.generic]] = {
        "val_logits": logits_of(IMAGES["val"], val_right),
        "val_labels": labels_of(IMAGES["val"]),
        "test_logits": logits_of(IMAGES["test"], right),
        "test_labels": labels_of(IMAGES["test"]),
    }
    stored = store.save_predictions(spec.id, arrays)
    val, test = (
        score(
            np.asarray(arrays[f"{split}_logits"], np.float64),
            np.asarray(arrays[f"{split}_labels"], np.int64),
            "binary-class",
            CLASSES,
        )
        for split in ("val", "test")
    )
    assert val.auc is not None
    epochs = [
        Epoch(
            epoch=number,
            train_loss=0.5,
            val_loss=val.loss,
            val_acc=val.acc,
            val_auc=val.auc - (0.0 if number == 2 else 0.01),
            lr=1e-3,
            seconds=1.0,
        )
        for number in range(1, suite.protocol.epochs + 1)
    ]
    result = TrainingResult(
        data=DataSeen(
            task="binary-class",
            class_names=list(CLASSES),
            channels_in_file=1,
            images=IMAGES,
            official=True,
            synthetic=False,
            licence="",
            note="",
        ),
        params_trainable=8_500_000,
        model_arguments={},
        omitted_arguments={},
        omitted_augmentations={},
        notes=[],
        epochs=epochs,
        selected_epoch=2,
        selected_on="validation auc",
        test_opened_at=datetime(2026, 1, 1, tzinfo=UTC),
        val=val,
        test=test,
        train_images_per_s=100.0,
        predictions_sha256=hashlib.sha256(stored).hexdigest(),
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


def measure(
    store: Store,
    suite: Suite,
    model: str,
    *,
    params: int = 8_500_000,
    macs: int = 100,
    speed: tuple[float, float, float] = (100.0, 90.0, 110.0),
    machine: str = "cpu",
) -> Record:
    """Keep a cost measurement of one of the suite's models; speed as median, low, high."""
    settings = suite.settings
    spec = cost_spec(
        model=next(entry for entry in suite.cost_models if entry.name == model),
        image_size=settings.image_size,
        num_classes=settings.cost.num_classes,
        batch_size=settings.cost.batch_size,
        threads=settings.threads,
        device_name=machine,
    )
    result = CostResult(
        params_trainable=params,
        params_total=params,
        buffers=0,
        weights_bytes=4 * params,
        macs=macs,
        macs_complete=True,
        macs_uncounted={},
        macs_by_part={},
        macs_second_counter=macs,
        macs_counters_differ=None,
        throughput_images_per_s_median=speed[0],
        throughput_images_per_s_low=speed[1],
        throughput_images_per_s_high=speed[2],
        throughput_samples_s=[0.1],
        latency_s_p50=0.01,
        latency_s_p95=None,
        latency_samples_s=[0.01],
        noisy=False,
        load_before=0.0,
        load_after=0.0,
        notes=[],
    )
    record = Record(
        kind="cost",
        id=spec.id,
        status="done",
        reason=None,
        spec=spec,
        suite=None,
        provenance=provenance(spec),
        attempts=[],
        cost=result,
    )
    store.save(record)
    return record
