"""One training and its single look at the test split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bench import models, provenance
from bench.data.cache import Cache
from bench.data.dataset import Dataset, Split
from bench.data.feed import Feed, make_resident, make_streamed
from bench.evaluation.predict import predict
from bench.evaluation.scores import score
from bench.records.schema import DataSeen, TrainingResult
from bench.records.store import Store
from bench.run.options import DEFAULTS, RunOptions
from bench.specs import RunSpec
from bench.training.checkpoint import CheckpointFile
from bench.training.length import passes_per_epoch
from bench.training.loop import Progress, Setting, fit, shuffled_labels
from bench.training.seeds import SeedStreams
from bench.training.selection import Selection


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to be trained; its test split is still locked.

    Attributes:
        forbidden: augmentations of the protocol that the data set forbids, each with the reason.
    """

    spec: RunSpec
    built: models.Built
    setting: Setting
    train: Feed
    val: Feed
    forbidden: dict[str, str]

    @property
    def params_trainable(self) -> int:
        return sum(p.numel() for p in self.built.model.parameters() if p.requires_grad)

    @property
    def notes(self) -> list[str]:
        """What a reader must know of how the model ran, such as which scan a MedMamba used."""
        device = torch.device(self.spec.device)
        said = {
            describe(device)
            for module in self.built.model.modules()
            if callable(describe := getattr(module, "describe_execution", None))
        }
        if device.type == "cuda" and not self.spec.deterministic:
            said.add("on this device the same run may give other bits: deterministic is not set")
        return sorted(said)

    def trained(
        self,
        on_progress: Callable[[Progress], None],
        checkpoints: CheckpointFile | None = None,
    ) -> Selection:
        """Train and choose on validation, from the last checkpoint if there is one.

        Raises:
            RunFailed: the training diverged.
        """
        return fit(self.built.model, self.train, self.val, self.setting, on_progress, checkpoints)


def prepare(spec: RunSpec, dataset: Dataset, options: RunOptions = DEFAULTS) -> Prepared:
    """Build the model and bring the training and validation splits to the device.

    Raises:
        InputError: the model cannot be built.
    """
    seeds = SeedStreams.of(spec.seed)
    augmentations, forbidden = _augmentations(spec, dataset)
    setting = Setting(
        task=dataset.task,
        class_names=dataset.class_names,
        protocol=spec.protocol,
        seeds=seeds,
        channels=spec.channels,
        precision=spec.precision,
        augmentations=augmentations,
        compiled=spec.compiled,
    )
    train = _feed(spec, dataset, dataset.train, options)
    val = _feed(spec, dataset, dataset.val, options)
    if spec.protocol.shuffle_labels:
        train = shuffled_labels(train, seeds.order)
    return Prepared(spec, _build(spec, dataset, seeds), setting, train, val, forbidden)


def train_and_score(
    spec: RunSpec,
    dataset: Dataset,
    store: Store,
    options: RunOptions,
    on_progress: Callable[[Progress], None],
    checkpoints: CheckpointFile | None = None,
) -> TrainingResult:
    """Train on ``train``, choose on ``val``, then open, predict, store and score ``test`` once.

    Raises:
        RunFailed: the training diverged.
        CannotWrite: the predictions could not be stored.
        TestSplitLocked: the test split of ``dataset`` was opened before.
    """
    prepared = prepare(spec, dataset, options)
    params = prepared.params_trainable  # of all that are trained, before any is fused or frozen
    selection = prepared.trained(on_progress, checkpoints)

    test = dataset.test.open(selection)
    assert dataset.test.opened_at is not None
    test_logits = predict(
        selection.model,
        _feed(spec, dataset, test, options),
        batch_size=spec.protocol.eval_batch_size,
        channels=spec.channels,
        precision=spec.precision,
    )
    stored = store.save_predictions(
        spec.id,
        {
            "val_logits": selection.val_logits,
            "val_labels": _compact(dataset.val.labels),
            "test_logits": test_logits,
            "test_labels": _compact(test.labels),
        },
    )
    return TrainingResult(
        data=_data_seen(dataset),
        params_trainable=params,
        model_arguments=prepared.built.arguments,
        omitted_arguments=prepared.built.omitted,
        omitted_augmentations=prepared.forbidden,
        notes=prepared.notes + _length(spec, len(prepared.train)),
        epochs=list(selection.epochs),
        selected_epoch=selection.epoch,
        selected_on=f"validation {spec.protocol.select}",
        test_opened_at=dataset.test.opened_at,
        val=selection.val_scores,
        test=score(test_logits, test.labels, dataset.task, dataset.class_names),
        train_images_per_s=selection.train_images_per_s,
        predictions_sha256=hashlib.sha256(stored).hexdigest(),
        resumed_at_updates=checkpoints.resumed_at if checkpoints else [],
    )


def _build(spec: RunSpec, dataset: Dataset, seeds: SeedStreams) -> models.Built:
    """The model with initial weights from their own seed stream."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.initialisation)
        return models.build(
            spec.model,
            num_classes=dataset.num_classes,
            in_chans=spec.channels,
            image_size=spec.image_size,
            drop_path_rate=spec.protocol.drop_path_rate,
        )


def _feed(spec: RunSpec, dataset: Dataset, split: Split, options: RunOptions) -> Feed:
    """A split as this run is fed it: held on the device, or read batch by batch."""
    device = torch.device(spec.device)
    if options.stream:
        return make_streamed(
            split,
            image_size=spec.image_size,
            channels=spec.channels,
            control=spec.control,
            device=device,
        )
    return make_resident(
        split,
        image_size=spec.image_size,
        channels=spec.channels,
        control=spec.control,
        device=device,
        cache=Cache.from_environment() if options.cache else None,
        origin=f"{dataset.source.checksum} {provenance.preparation_digest()} {_arithmetic()}",
    )


def _arithmetic() -> str:
    """What decides the last bit of a resized image beside the code: torch and its instructions."""
    return f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}"


def _augmentations(spec: RunSpec, dataset: Dataset) -> tuple[dict[str, float], dict[str, str]]:
    """The protocol's augmentations that keep this data set's labels, and the others with why."""
    asked = spec.protocol.augment
    chosen = {name: value for name, value in asked.items() if name in dataset.label_preserving}
    reason = f"does not preserve the labels of {dataset.name}"
    return chosen, {name: reason for name in asked if name not in chosen}


def _compact(labels: NDArray[np.int64]) -> NDArray[np.generic]:
    """Labels in the smallest unsigned type that holds them: records are kept in git."""
    return labels.astype(np.min_scalar_type(int(labels.max(initial=0))))


def _data_seen(dataset: Dataset) -> DataSeen:
    source = dataset.source
    return DataSeen(
        task=dataset.task,
        class_names=list(dataset.class_names),
        channels_in_file=dataset.channels,
        images={"train": len(dataset.train), "val": len(dataset.val), "test": len(dataset.test)},
        official=source.official,
        synthetic=source.synthetic,
        licence=source.licence,
        note=source.note,
    )


def _length(spec: RunSpec, images: int) -> list[str]:
    """That an epoch goes over the training split more than once, where it does."""
    passes = passes_per_epoch(spec.protocol, images)
    least = spec.protocol.least_updates
    return [f"Each epoch is {passes} passes: at least {least} updates."] if passes > 1 else []
