"""One trial: train on ``train``, choose the epoch on ``val``; the test split stays locked."""

from __future__ import annotations

from collections.abc import Callable

import torch

from bench.data.dataset import Dataset
from bench.run.experiment import _augmentations, _build, _feed, _notes
from bench.run.recording import Clock, failure, made_here
from bench.search.file import trial_id
from bench.search.record import Trial, TrialResult
from bench.specs import RunSpec
from bench.training.loop import Progress, Setting, fit
from bench.training.seeds import SeedStreams


def try_out(
    spec: RunSpec,
    dataset: Dataset,
    *,
    search: str,
    device_name: str,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Trial:
    """The trial, done or failed; only an interruption leaves none."""
    clock, torch_threads = Clock(), torch.get_num_threads()
    result, reason = None, None
    status = "done"
    try:
        torch.set_num_threads(spec.threads)
        result = _train(spec, dataset, on_progress)
    except (Exception, SystemExit) as error:
        status, reason = failure(error)
    finally:
        torch.set_num_threads(torch_threads)
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


def _train(spec: RunSpec, dataset: Dataset, on_progress: Callable[[Progress], None]) -> TrialResult:
    seeds = SeedStreams.of(spec.seed)
    built = _build(spec, dataset, seeds)
    augmentations, forbidden = _augmentations(spec, dataset)
    setting = Setting(
        task=dataset.task,
        class_names=dataset.class_names,
        protocol=spec.protocol,
        seeds=seeds,
        channels=spec.channels,
        precision=spec.precision,
        augmentations=augmentations,
    )
    train, val = _feed(spec, dataset, dataset.train), _feed(spec, dataset, dataset.val)
    selection = fit(built.model, train, val, setting, on_progress)
    return TrialResult(
        params_trainable=sum(p.numel() for p in built.model.parameters() if p.requires_grad),
        images={"train": len(dataset.train), "val": len(dataset.val)},
        epochs=list(selection.epochs),
        selected_epoch=selection.epoch,
        val=selection.val_scores,
        train_images_per_s=selection.train_images_per_s,
        omitted_arguments=built.omitted,
        omitted_augmentations=forbidden,
        notes=_notes(built.model, torch.device(spec.device)),
    )
