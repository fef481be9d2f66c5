"""One training of a study: an ordinary run's, with the test split scored after every epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from bench.data.dataset import Dataset
from bench.data.feed import Feed, make_resident
from bench.evaluation.predict import predict
from bench.evaluation.scores import score
from bench.provenance import study_digest
from bench.records.schema import Epoch
from bench.run.experiment import Prepared, prepare
from bench.run.options import DEFAULTS, RunOptions
from bench.run.recording import Clock, failure, made_now
from bench.run.surroundings import surroundings
from bench.specs import RunSpec
from bench.study.file import study_id
from bench.study.record import LookedAt, StudyRecord, StudyResult
from bench.training.loop import Progress, Trainer


def look(
    spec: RunSpec,
    dataset: Dataset,
    *,
    study: str,
    device_name: str,
    options: RunOptions = DEFAULTS,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> StudyRecord:
    """The record, done or failed; only an interruption leaves none."""
    clock = Clock()
    result, reason = None, None
    status = "done"
    try:
        with surroundings(spec):
            result = _train(spec, dataset, options, on_progress)
    except (Exception, SystemExit) as error:
        status, reason = failure(error)
    return StudyRecord.model_validate(
        {
            "id": study_id(spec),
            "study": study,
            "status": status,
            "reason": reason,
            "spec": spec,
            "provenance": made_now(study_digest(spec), device_name, spec.threads, clock),
            "looked_at": result,
        }
    )


def _train(
    spec: RunSpec,
    dataset: Dataset,
    options: RunOptions,
    on_progress: Callable[[Progress], None],
) -> StudyResult:
    prepared = prepare(spec, dataset, options)
    params = prepared.params_trainable
    looker = _Looker(prepared, dataset, _test_feed(spec, dataset), on_progress)
    chosen = looker.fit()
    return StudyResult(
        params_trainable=params,
        images={"train": len(dataset.train), "val": len(dataset.val), "test": len(dataset.test)},
        epochs=looker.epochs,
        validation_chose=chosen,
        omitted_arguments=prepared.built.omitted,
        omitted_augmentations=prepared.forbidden,
        notes=prepared.notes,
    )


def _test_feed(spec: RunSpec, dataset: Dataset) -> Feed:
    """The test split through the study's own door, prepared as a run prepares it."""
    return make_resident(
        dataset.test.read_for_study(),
        image_size=spec.image_size,
        channels=spec.channels,
        control=spec.control,
        device=torch.device(spec.device),
    )


@dataclass
class _Looker:
    """Trains as ``bench.training.loop.fit`` does, and looks at test whenever validation has."""

    prepared: Prepared
    dataset: Dataset
    test: Feed
    on_progress: Callable[[Progress], None]
    epochs: list[LookedAt] = field(default_factory=list)

    def fit(self) -> int:
        """Train to the end; the epoch that validation chose.

        Raises:
            RunFailed: the training diverged.
        """
        ready, device = self.prepared, self.test.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(ready.setting.seeds.regularisation)
            trainer = Trainer(
                ready.built.model, ready.train, ready.val, ready.setting, self._progressed
            )
            self._trainer = trainer
            return trainer.run().epoch

    def _progressed(self, progress: Progress) -> None:
        if progress.last_epoch is not None:
            self.epochs.append(self._looked_at(progress.last_epoch))
        self.on_progress(progress)

    def _looked_at(self, epoch: Epoch) -> LookedAt:
        """The weights that were just validated, scored on test as a run scores them."""
        spec, dataset = self.prepared.spec, self.dataset
        # a model that draws numbers while it predicts must not change the training
        cuda = [self.test.device] if self.test.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):
            logits = predict(
                self._trainer.evaluated(),
                self.test,
                batch_size=spec.protocol.eval_batch_size,
                channels=spec.channels,
                precision=spec.precision,
            )
        labels = self.test.labels.cpu().numpy()
        scores = score(logits, labels, dataset.task, dataset.class_names)
        return LookedAt(
            epoch=epoch.epoch,
            val_loss=epoch.val_loss,
            val_acc=epoch.val_acc,
            val_auc=epoch.val_auc,
            test_acc=scores.acc,
            test_auc=scores.auc_present,
        )
