"""Which images one training decided rightly, by MedMNIST's rules."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.specs import Task

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THRESHOLD = 0.5  # MedMNIST's, for two classes and for several labels
MULTI_LABEL: Task = "multi-label, binary-class"


def right_by_image(probs: Floats, labels: Ints, task: Task) -> Floats:
    """How right each decision was, ``(N,)``: 0 or 1; several labels: the share of them right.

    The mean over images is the accuracy that records hold.

    Args:
        probs: ``(N, C)``.
        labels: ``(N,)`` class indices, or ``(N, C)`` zeros and ones for several labels.
    """
    if task == MULTI_LABEL:
        return np.asarray(((probs > THRESHOLD) == (labels == 1)).mean(axis=1))
    if task == "binary-class":
        right = (probs[:, -1] > THRESHOLD) == (labels == 1)
    else:
        right = probs.argmax(axis=1) == labels
    return np.asarray(right, dtype=np.float64)


def strata(labels: Ints) -> Ints:
    """The class of each image; one stratum for all where images carry several labels."""
    return labels if labels.ndim == 1 else np.zeros(len(labels), dtype=np.int64)


def truth(labels: Ints, classes: int) -> NDArray[np.bool_]:
    """Labels as ``(N, C)`` of yes and no."""
    if labels.ndim == 2:
        return np.asarray(labels == 1)
    return np.asarray(labels[:, None] == np.arange(classes))
