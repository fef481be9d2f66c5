"""One trial: train on ``train``, choose the epoch on ``val``; the test split stays locked."""

from __future__ import annotations

from collections.abc import Callable

from bench.data.dataset import Dataset
from bench.run.experiment import prepare
from bench.run.options import DEFAULTS, RunOptions
from bench.run.recording import Clock, failure, made_here
from bench.run.surroundings import surroundings
from bench.search.file import trial_id
from bench.search.record import Trial, TrialResult
from bench.specs import RunSpec
from bench.training.loop import Progress


def try_out(
    spec: RunSpec,
    dataset: Dataset,
    *,
    search: str,
    device_name: str,
    options: RunOptions = DEFAULTS,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Trial:
    """The trial, done or failed; only an interruption leaves none."""
    clock = Clock()
    result, reason = None, None
    status = "done"
    try:
        with surroundings(spec):
            result = _train(spec, dataset, options, on_progress)
    except (Exception, SystemExit) as error:
        status, reason = failure(error)
    return Trial.model_validate(
        {
            "id": trial_id(spec),
            "search": search,
            "status": status,
            "reason": reason,
            "spec": spec,
            "provenance": made_here(spec, device_name, clock),
            "result": result,
        }
    )


def _train(
    spec: RunSpec,
    dataset: Dataset,
    options: RunOptions,
    on_progress: Callable[[Progress], None],
) -> TrialResult:
    prepared = prepare(spec, dataset, options)
    params = prepared.params_trainable
    selection = prepared.trained(on_progress)
    return TrialResult(
        params_trainable=params,
        images={"train": len(dataset.train), "val": len(dataset.val)},
        epochs=list(selection.epochs),
        selected_epoch=selection.epoch,
        val=selection.val_scores,
        train_images_per_s=selection.train_images_per_s,
        omitted_arguments=prepared.built.omitted,
        omitted_augmentations=prepared.forbidden,
        notes=prepared.notes,
    )
