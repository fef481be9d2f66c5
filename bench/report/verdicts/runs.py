"""One finished run: what its stored predictions say of it alone, over test images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.scores import probabilities
from bench.report.verdicts.calibration import Calibration, calibration
from bench.specs import Task
from bench.statistics.bootstrap import bootstrap_over_images
from bench.statistics.decisions import Floats, Ints, right_by_image, strata
from bench.statistics.delong import AucParts, auc_over_images, macro_auc_parts
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.two_classes import TwoClasses, two_classes


@dataclass(frozen=True)
class RunPredictions:
    """A finished run's stored predictions.

    Attributes:
        val_logits, test_logits: ``(N, C)``, any float type.
        val_labels, test_labels: ``(N,)`` class indices, or ``(N, C)`` zeros and ones for several
            labels; any integer type.
    """

    model: str
    dataset: str
    seed: int
    run_id: str
    task: Task
    val_logits: NDArray[np.floating]
    val_labels: NDArray[np.integer]
    test_logits: NDArray[np.floating]
    test_labels: NDArray[np.integer]


@dataclass(frozen=True)
class RunFindings:
    """What one run's predictions say.

    Attributes:
        labels: of the test images.
        right: ``(N,)``, how right each test image was decided.
        acc: with its stratified bootstrap interval over images.
        auc_parts: the AUC and each test image's part in its error.
        auc: with DeLong's interval over images.
        two_classes: at the threshold of validation; None where the task has not two classes.
    """

    model: str
    dataset: str
    seed: int
    run_id: str
    task: Task
    labels: Ints
    right: Floats
    acc: IntervalEstimate
    auc_parts: AucParts
    auc: IntervalEstimate
    two_classes: TwoClasses | None
    calibration: Calibration

    def score(self, metric: str) -> float | None:
        """Its ``ACC`` or ``AUC`` on test."""
        return self.acc.value if metric == "ACC" else self.auc_parts.value


def look_at(run: RunPredictions) -> RunFindings:
    """Everything that is said of the run alone; the same run gives the same numbers anywhere."""
    logits, labels = run.test_logits.astype(np.float64), run.test_labels.astype(np.int64)
    val_logits, val_labels = run.val_logits.astype(np.float64), run.val_labels.astype(np.int64)
    probs = probabilities(logits, run.task)
    right = right_by_image(probs, labels, run.task)
    parts = macro_auc_parts(probs, labels, run.task)
    many = labels.shape[1] if labels.ndim == 2 else 1
    two = None
    if run.task == "binary-class":
        val_scores = probabilities(val_logits, run.task)[:, -1]
        two = two_classes(val_scores, val_labels, probs[:, -1], labels)
    return RunFindings(
        model=run.model,
        dataset=run.dataset,
        seed=run.seed,
        run_id=run.run_id,
        task=run.task,
        labels=labels,
        right=right,
        acc=bootstrap_over_images(right, strata(labels), parts=many),
        auc_parts=parts,
        auc=auc_over_images(parts),
        two_classes=two,
        calibration=calibration(val_logits, val_labels, logits, labels, run.task),
    )


def generator(run_ids: Iterable[str]) -> np.random.Generator:
    """Random numbers that belong to these runs: the same runs, the same numbers."""
    digest = hashlib.sha256("\n".join(sorted(run_ids)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
