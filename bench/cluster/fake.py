"""A run that trains nothing and leaves what any other leaves: it times all but the training."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime

import numpy as np

from bench.execution.one_run import Conditions
from bench.execution.watcher import Watcher
from bench.records.schema import ClassScore, DataSeen, Record, Scores, TrainingResult
from bench.records.store import Store
from bench.run.recording import Clock, made_here
from bench.specs import RunSpec

IMAGES = 32


def fake_run(
    spec: RunSpec, conditions: Conditions, watcher: Watcher, *, seconds: float
) -> Record | None:
    """Sleep for ``seconds``, then keep made-up predictions and a record; as ``do_run`` is called.

    Only for stores that are thrown away.
    """
    clock, store, run_id = Clock(), conditions.store, spec.id
    watcher.started(spec)
    time.sleep(seconds)
    record = Record(
        kind="training",
        id=run_id,
        status="done",
        reason=None,
        spec=spec,
        suite=conditions.suite,
        provenance=made_here(spec, conditions.device_name, clock),
        attempts=[],
        training=_result(spec, run_id, store),
    )
    store.save(record)
    return record


def _result(spec: RunSpec, run_id: str, store: Store) -> TrainingResult:
    rng = np.random.default_rng(spec.seed)
    arrays = {
        f"{split}_{part}": made
        for split in ("val", "test")
        for part, made in (
            ("logits", rng.normal(size=(IMAGES, 2)).astype(np.float16)),
            ("labels", rng.integers(2, size=IMAGES).astype(np.uint8)),
        )
    }
    stored = store.save_predictions(run_id, dict(arrays))
    classes = ["a", "b"]
    scores = Scores(
        images=IMAGES,
        acc=0.5,
        auc=0.5,
        auc_present=0.5,
        balanced_accuracy=0.5,
        macro_f1=0.5,
        ece=0.0,
        ece_bins=15,
        loss=1.0,
        per_class=[ClassScore(name=name, support=16, recall=0.5, auc=0.5) for name in classes],
    )
    return TrainingResult(
        data=DataSeen(
            task="binary-class",
            class_names=classes,
            channels_in_file=1,
            images=dict.fromkeys(("train", "val", "test"), IMAGES),
            official=None,
            synthetic=True,
            licence="",
            note="made up",
        ),
        params_trainable=0,
        model_arguments={},
        omitted_arguments={},
        omitted_augmentations={},
        notes=["made up: nothing was trained"],
        epochs=[],
        selected_epoch=0,
        selected_on="nothing",
        test_opened_at=datetime.now(UTC),
        val=scores,
        test=scores,
        train_images_per_s=0.0,
        predictions_sha256=hashlib.sha256(stored).hexdigest(),
    )
