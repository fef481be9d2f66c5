"""How far stated confidence is from being right, before and after one fitted temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.evaluation.scores import expected_calibration_error, probabilities
from bench.specs import Task
from bench.statistics.decisions import MULTI_LABEL, THRESHOLD, Floats, Ints
from bench.statistics.temperature import Temperature, fit_temperature


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error on test, with the bins of every record; a share.

    Attributes:
        after: at the temperature that validation chose; None where there is none.
    """

    before: float
    after: float | None
    temperature: Temperature


def calibration(
    val_logits: Floats, val_labels: Ints, logits: Floats, labels: Ints, task: Task
) -> Calibration:
    """Fit on validation, measure on test.

    Args:
        val_logits, logits: ``(N, C)``.
        val_labels, labels: ``(N,)`` indices, or ``(N, C)`` zeros and ones.
    """
    found = fit_temperature(val_logits, val_labels, task)
    before = _error(logits, labels, task)
    after = None if found.value is None else _error(logits / found.value, labels, task)
    return Calibration(before, after, found)


def _error(logits: Floats, labels: Ints, task: Task) -> float:
    """The error as in records; each label of a multi-label task is a decision of its own."""
    probs = probabilities(logits, task)
    if task == MULTI_LABEL:
        right = (probs > THRESHOLD) == (labels == 1)
        return expected_calibration_error(np.maximum(probs, 1.0 - probs).ravel(), right.ravel())
    if task == "binary-class":
        decided = (probs[:, -1] > THRESHOLD).astype(np.int64)
    else:
        decided = probs.argmax(axis=1)
    confidence = np.take_along_axis(probs, decided[:, None], axis=1)[:, 0]
    return expected_calibration_error(confidence, decided == labels)
