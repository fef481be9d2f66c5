"""A results folder of made-up runs, as large as asked for, in seconds.

Only few trainings are really made up for each data set; every record draws one of them and gets an
id, a suite's cell and bytes of its own (the id stands in the comment of its archive of
predictions, so no two have one checksum). All that readers check holds.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np

from bench.data.medmnist import info_by_flag
from bench.evaluation.scores import is_multi_label, score
from bench.provenance import PACKAGES, source_digest
from bench.records.schema import (
    CostResult,
    DataSeen,
    Epoch,
    Provenance,
    Record,
    Scores,
    SuiteSeen,
    TrainingResult,
)
from bench.records.store import Store
from bench.report.scale.file import Shape
from bench.specs import CostSpec, ModelSpec, RunSpec, Task
from bench.statistics.decisions import Ints
from bench.suite import Suite, load_suite, run_spec

_KINDS = 12  # of trainings really made up for each data set
_MODELS = (
    "medspectralnet",
    "medspectralnet_no_context_gate",
    "medspectralnet_local_stream",
    "medspectralnet_global_stream",
    "medspectralnet_quadratic_attention",
    "medspectralnet_no_frequency_split",
    "medmamba_tiny",
)
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """One training that many records share: its archive of predictions and their scores."""

    archive: bytes
    val: Scores
    test: Scores


def write_suite(shape: Shape, folder: Path) -> Suite:
    """The suite and protocol of these runs, as files in ``folder``."""
    names = [*_MODELS, *(f"rival_{number}" for number in range(shape.models))][: shape.models]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "made-up.toml").write_text(_PROTOCOL.format(epochs=shape.epochs))
    path = folder / "many.toml"
    seeds = list(range(shape.seeds))
    path.write_text(_SUITE.format(models=names, datasets=shape.datasets, seeds=seeds))
    return load_suite(str(path))


def write_results(shape: Shape, suite: Suite, root: Path) -> Store:
    """Every run and cost of the suite as a record below ``root``; not synced, as it is thrown away.

    The same shape gives the same bytes.
    """
    store = Store(root)
    store.folder.mkdir(parents=True, exist_ok=True)
    kinds = {name: _kinds(place, name, shape) for place, name in enumerate(shape.datasets)}
    of_model: dict[str, Provenance] = {}
    for number, cell in enumerate(suite.cells):
        name = cell.dataset.name
        spec = run_spec(suite, cell, checksum=f"md5:{name}")
        if cell.model.name not in of_model:
            of_model[cell.model.name] = _provenance(spec)
        place = number * 7 % _KINDS
        record, archive = _run(suite, spec, kinds[name][place], place, of_model[cell.model.name])
        store.predictions_path(spec.id).write_bytes(archive)
        store.path(spec.id).write_text(record.model_dump_json(indent=1) + "\n")
    for number, model in enumerate(suite.cost_models):
        cost = _cost_spec(suite, model)
        store.path(cost.id).write_text(_cost(cost, number).model_dump_json(indent=1) + "\n")
    return store


def _kinds(place: int, name: str, shape: Shape) -> list[Kind]:
    entry = info_by_flag()[name]
    task, names = cast(Task, entry["task"]), tuple(entry["label"].values())
    rng = np.random.default_rng(place)
    labels = {
        split: _labels(rng, min(entry["n_samples"][split], most), len(names), task)
        for split, most in (("val", shape.val_images), ("test", shape.test_images))
    }
    kinds = []
    for number in range(_KINDS):
        arrays: dict[str, Any] = {}
        for split, truth in labels.items():
            skill = 1.5 + 0.1 * number
            known = truth if is_multi_label(task) else truth[:, None] == np.arange(len(names))
            logits = rng.standard_normal((len(truth), len(names))) + skill * known
            arrays[f"{split}_logits"] = logits.astype(np.float16)
            arrays[f"{split}_labels"] = truth.astype(np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        val, test = (
            score(arrays[f"{split}_logits"].astype(np.float64), labels[split], task, names)
            for split in ("val", "test")
        )
        kinds.append(Kind(buffer.getvalue(), val, test))
    return kinds


def _labels(rng: np.random.Generator, count: int, classes: int, task: Task) -> Ints:
    if is_multi_label(task):
        return rng.integers(0, 2, (count, classes))
    return rng.permutation(np.arange(count) % classes)


def _run(
    suite: Suite, spec: RunSpec, kind: Kind, place: int, made: Provenance
) -> tuple[Record, bytes]:
    entry = info_by_flag()[spec.data.name]
    archive = _named(kind.archive, spec.id)
    training = TrainingResult.model_construct(
        data=DataSeen(
            task=entry["task"],
            class_names=list(entry["label"].values()),
            channels_in_file=entry["n_channels"],
            images=entry["n_samples"] | {"val": kind.val.images, "test": kind.test.images},
            official=True,
            synthetic=False,
            licence=entry["license"],
            note="",
        ),
        params_trainable=1_000_000 * (1 + len(spec.model.name) % 9),
        model_arguments={"num_classes": len(entry["label"]), "in_chans": spec.channels},
        omitted_arguments={},
        omitted_augmentations={},
        notes=[],
        epochs=_curve(spec.protocol.epochs, kind, place),
        selected_epoch=spec.protocol.epochs,
        selected_on="validation auc",
        test_opened_at=_DAY,
        val=kind.val,
        test=kind.test,
        train_images_per_s=100.0,
        predictions_sha256=hashlib.sha256(archive).hexdigest(),
        resumed_at_updates=[],
    )
    record = Record.model_construct(
        kind="training",
        id=spec.id,
        status="done",
        reason=None,
        spec=spec,
        suite=SuiteSeen(name=suite.name, seeds=suite.seeds),
        provenance=made,
        attempts=[],
        training=training,
    )
    return record, archive


def _named(archive: bytes, identity: str) -> bytes:
    """The same archive with an id as its comment, as the zip format has room for."""
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a") as file:
        file.comment = identity.encode()
    return buffer.getvalue()


def _curve(epochs: int, kind: Kind, place: int) -> list[Epoch]:
    """A learning curve that ends in what the checkpoint scores on validation, its best epoch."""
    best, curve = kind.val.auc_present or 0.5, []
    for number in range(1, epochs + 1):
        lag = 1.0 / number - 1.0 / epochs
        curve.append(
            Epoch(
                epoch=number,
                train_loss=kind.val.loss + lag + 0.01 * place,
                val_loss=kind.val.loss + 0.5 * lag,
                val_acc=max(0.0, kind.val.acc - 0.3 * lag),
                val_auc=best * (1 - 0.3 * lag),
                lr=1e-3,
                seconds=1.0 + 0.1 * place,
            )
        )
    return curve


def _cost_spec(suite: Suite, model: ModelSpec) -> CostSpec:
    settings = suite.settings
    return CostSpec(
        model=model,
        image_size=settings.image_size,
        channels=settings.channels,
        num_classes=settings.cost.num_classes,
        device="cpu",
        device_name="made-up processor",
        precision="float32",
        threads=settings.threads,
        batch_size=settings.cost.batch_size,
        channels_last=settings.cost.channels_last,
    )


def _cost(spec: CostSpec, number: int) -> Record:
    speed, macs = 100.0 + 10 * number, 10**9 + 10**8 * number
    result = CostResult(
        params_trainable=1_000_000 * (1 + number),
        params_total=1_000_000 * (1 + number),
        buffers=0,
        weights_bytes=4_000_000 * (1 + number),
        macs=macs,
        macs_complete=True,
        macs_uncounted={},
        macs_by_part={f"stages.{part}": macs // 10 for part in range(10)},
        macs_by_role={f"part {part}": macs // 5 for part in range(5)},
        macs_second_counter=macs,
        macs_counters_differ=None,
        throughput_images_per_s_median=speed,
        throughput_images_per_s_low=0.98 * speed,
        throughput_images_per_s_high=1.02 * speed,
        throughput_samples_s=[64 / speed] * 100,
        latency_s_p50=2 / speed,
        latency_s_p95=2.2 / speed,
        latency_samples_s=[2 / speed] * 100,
        noisy=False,
        load_before=0.0,
        load_after=0.0,
        notes=[],
    )
    return Record(
        kind="cost",
        id=spec.id,
        status="done",
        reason=None,
        spec=spec,
        suite=None,
        provenance=_provenance(spec),
        attempts=[],
        cost=result,
    )


def _provenance(spec: RunSpec | CostSpec) -> Provenance:
    return Provenance(
        commit=None,
        dirty=None,
        source_digest=source_digest(spec),
        packages=dict.fromkeys(PACKAGES, "1.0"),
        python="3.11.7",
        platform="made up",
        processor="made-up processor, 2 cores",
        device_name="made-up processor",
        threads=2,
        started_at=_DAY,
        wall_s=60.0,
    )


_PROTOCOL = """\
about = "made up"
source = "made up"
epochs = {epochs}
batch_size = 64
select = "auc"

[optimizer]
name = "adamw"
lr = 1e-3
"""

_SUITE = """\
about = "Made-up runs: only how long drawing takes means anything."
protocol = "made-up.toml"
source_size = 28
image_size = 64
device = "cpu"
precision = "float32"
threads = 2

[[grid]]
models = {models}
datasets = {datasets}
seeds = {seeds}

[cost]
num_classes = 8
batch_size = 64
seconds_per_model = 4.0
"""
