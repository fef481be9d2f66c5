"""From a row of the gate's file to what is timed: one pass of one tree's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import timm
import torch
from torch import nn

from bench.errors import InputError
from bench.measure.building import placed, random_batches
from bench.measure.forms import laid_out
from bench.measure.steps import inference_step, training_step
from bench.measure.timing import Lane, Step
from bench.regress.file import Row, RunTime
from bench.regress.probes.checking import run_fields
from bench.regress.probes.exact import sized
from bench.regress.twin import Twin

SEED = 0


def lane(label: str, twin: Twin, row: Row, spec: RunTime, threads: int) -> Lane:
    """One side of a row, built now: where it lies in memory is a matter of when.

    Raises:
        InputError: the tree has no such model.
    """
    if row.metric == "training step":
        return Lane(label, _loop_step(twin, row, spec, threads))
    return Lane(label, _inference(_model(twin, row, spec), row, spec))


def yardstick(row: Row, spec: RunTime) -> Lane:
    """The same pass of a model of timm's, which no tree changes."""
    torch.manual_seed(SEED)
    model = timm.create_model(spec.yardstick, num_classes=spec.num_classes, in_chans=spec.channels)
    placed(model, "cpu", channels_last=True)
    if row.metric != "training step":
        return Lane("yardstick", _inference(model.eval(), row, spec))
    batches = _batches(row, spec)
    step = training_step(model.train(), batches, spec.num_classes, "float32")
    return Lane("yardstick", step)


def _model(twin: Twin, row: Row, spec: RunTime) -> nn.Module:
    with twin.active(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        if row.model not in timm.list_models():
            raise InputError(
                f"{twin.tree.label} has no model {row.model!r}",
                remedy="name one that both trees have",
                key="run_time.row",
            )
        model: nn.Module = timm.create_model(
            row.model,
            num_classes=spec.num_classes,
            in_chans=spec.channels,
            **sized(row.model, row.image_size),
        )
    check_own(twin, model, row.model)
    return placed(model, "cpu", channels_last=True).eval()


def check_own(twin: Twin, model: nn.Module, name: str) -> None:
    """Refuse to time code that is not the tree's.

    Raises:
        InputError: no part of the model was defined by it.
    """
    if not any(twin.owns(part) for part in model.modules()):
        raise InputError(
            f"no part of {name!r} is code of {', '.join(twin.packages)}",
            remedy="a gate judges the repository's own models",
            key="run_time.row",
        )


def _inference(model: nn.Module, row: Row, spec: RunTime) -> Step:
    return inference_step(model, _batches(row, spec), "float32")


def _batches(row: Row, spec: RunTime) -> list[torch.Tensor]:
    shape = (row.batch_size, spec.channels, row.image_size, row.image_size)
    drawn = random_batches(shape, device="cpu", rng=np.random.default_rng(SEED))
    return [laid_out(batch, "channels_last") for batch in drawn]


def _loop_step(twin: Twin, row: Row, spec: RunTime, threads: int) -> Step:
    """A batch from the feed, augmented, and one update: what the training loop repeats.

    Where the tree has no harness of its own, the loop is this one's and the model the tree's.
    """
    specs = twin.module("bench.specs")
    wanted = specs.DatasetSpec.model_validate(spec.dataset.model_dump(mode="json"))
    dataset = twin.module("bench.data.catalog").load(wanted, spec.source_size)
    protocol = spec.protocol.model_dump(mode="json") | {"batch_size": row.batch_size}
    fields = run_fields(
        row.model,
        dataset,
        protocol,
        image_size=row.image_size,
        source_size=spec.source_size,
        seed=SEED,
        threads=threads,
    )
    experiment = twin.module("bench.run.experiment")
    with twin.active(), torch.random.fork_rng(devices=[]):
        prepared = experiment.prepare(specs.RunSpec.model_validate(fields), dataset)
    check_own(twin, prepared.built.model, row.model)
    updates = _updates(twin, prepared)

    def step() -> None:
        next(updates)

    return step


def _updates(twin: Twin, prepared: Any) -> Iterator[None]:
    batches = twin.module("bench.data.feed").batches
    augment = twin.module("bench.data.augment").augment
    setting = prepared.setting
    trainer = twin.module("bench.training.loop").Trainer(
        prepared.built.model, prepared.train, prepared.val, setting
    )
    order = torch.Generator().manual_seed(SEED)
    trainer.model.train()
    while True:
        for images, labels in batches(
            prepared.train,
            setting.protocol.batch_size,
            channels=setting.channels,
            order=order,
            sampling=setting.protocol.sampling,
        ):
            augmented = augment(
                images, setting.augmentations, trainer.augmentation, setting.protocol.augment_count
            )
            trainer.update(augmented, labels)
            yield
