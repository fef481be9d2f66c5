"""From a record to a file of weights that says all that is needed to use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, cast

import numpy as np

from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.evaluation.scores import score
from bench.records.store import Store
from bench.release.choosing import Pick
from bench.release.file import Weights, read_weights, write_weights
from bench.release.finding import weights_of
from bench.release.metadata import Calibration, Effect, WeightsMetadata
from bench.release.remaking import make_again
from bench.specs import RunSpec, Task
from bench.staleness import Staleness
from bench.statistics.temperature import fit_temperature
from bench.training.loop import Progress


def kept(pick: Pick, path: Path) -> WeightsMetadata | None:
    """The description of the file where it already holds these very weights, else None.

    An older file that does not say what its temperature does is written again, not trained again.
    """
    try:
        metadata = read_weights(path).metadata
    except InputError:
        return None
    training = pick.record.training
    assert training is not None
    same = metadata.run == pick.record.id and metadata.chosen == pick.chosen
    same = same and bool(metadata.calibration.effects)
    return metadata if same and metadata.predictions_sha256 == training.predictions_sha256 else None


def make_weights(
    pick: Pick,
    dataset: Dataset,
    store: Store,
    path: Path,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> WeightsMetadata:
    """Train again, compare, fit the temperature, write; returns what was written.

    Weights of the same training that lie in the same folder under another name are copied.

    Raises:
        InputError: the training does not give its record's bits again, or the record's predictions
            cannot be read.
        CannotWrite: the file cannot be written.
    """
    metadata, found = described(pick, dataset, store), weights_of(pick.record, path.parent)
    if found is not None:
        return write_weights(Weights(metadata, found[0].state), path)
    selection = make_again(pick.record, dataset, Staleness.load(store.root), on_progress)
    return write_weights(Weights(metadata, selection.model.state_dict()), path)


def described(pick: Pick, dataset: Dataset, store: Store) -> WeightsMetadata:
    """All that the file will say of itself but its checksum."""
    record, spec, training = pick.record, pick.record.spec, pick.record.training
    assert isinstance(spec, RunSpec)
    assert training is not None
    return WeightsMetadata(
        run=record.id,
        suite=record.suite.name if record.suite else "",
        predictions_sha256=training.predictions_sha256,
        source_digest=record.provenance.source_digest,
        packages=record.provenance.packages,
        model=spec.model,
        arguments=training.model_arguments,
        data=spec.data.name,
        data_checksum=spec.data.checksum,
        data_described=spec.data.described,
        licence=training.data.licence,
        synthetic=training.data.synthetic,
        task=dataset.task,
        class_names=training.data.class_names,
        data_channels=cast(Literal[1, 3], dataset.channels),
        channels=spec.channels,
        source_size=spec.data.source_size,
        image_size=spec.image_size,
        calibration=_calibration(
            spec, store, cast(Task, training.data.task), tuple(training.data.class_names)
        ),
        chosen=pick.chosen,
    )


def _calibration(spec: RunSpec, store: Store, task: Task, names: tuple[str, ...]) -> Calibration:
    """The temperature of the stored validation logits: training and choice are over.

    What it does on the test split is told, and decides nothing.
    """
    found = store.load_predictions(spec.id)
    logits = {split: found[f"{split}_logits"].astype(np.float64) for split in ("val", "test")}
    labels = {split: found[f"{split}_labels"].astype(np.int64) for split in ("val", "test")}
    fitted = fit_temperature(logits["val"], labels["val"], task)
    effects = []
    for split in ("val", "test"):
        plain = score(logits[split], labels[split], task, names)
        scaled = score(logits[split] / (fitted.value or 1.0), labels[split], task, names)
        effects.append(
            Effect(
                split=split,
                images=plain.images,
                ece=plain.ece,
                ece_calibrated=scaled.ece,
                loss=plain.loss,
                loss_calibrated=scaled.loss,
            )
        )
    return Calibration(temperature=fitted.value, note=fitted.note, effects=effects)
