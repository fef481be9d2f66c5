"""Scores from stored logits, in float64; ACC and AUC as MedMNIST's own Evaluator defines them.

N images, C classes (multi-label: C labels). AUC is the rank statistic with mid-ranks for ties
(Hanley & McNeil 1982), one class against the rest, averaged over classes without weights.
A class with no image in the split, or with nothing else, has no AUC: a blank with its reason.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.records.schema import ClassScore, Scores
from bench.specs import Task

ECE_BINS = 15  # Guo et al. 2017, equal width; stands in every record beside the value
THRESHOLD = 0.5  # MedMNIST's, for binary and multi-label accuracy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def probabilities(logits: NDArray[np.floating], task: Task) -> Floats:
    """Softmax over classes ``(N, C)``, or a sigmoid for each label of a multi-label task."""
    z = logits.astype(np.float64)
    if is_multi_label(task):
        return 1.0 / (1.0 + np.exp(-np.clip(z, -700.0, 700.0)))
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(z / z.sum(axis=1, keepdims=True))


def is_multi_label(task: Task) -> bool:
    """Whether each image carries several yes/no labels."""
    return task == "multi-label, binary-class"


def score(
    logits: NDArray[np.floating], labels: Ints, task: Task, class_names: tuple[str, ...]
) -> Scores:
    """Every score of one split.

    Args:
        logits: ``(N, C)``, finite.
        labels: ``(N,)`` class indices, or ``(N, C)`` zeros and ones for a multi-label task.

    Raises:
        ValueError: shapes that do not fit, or a logit that is not finite.
    """
    _check(logits, labels, task, class_names)
    probs = probabilities(logits, task)
    truth = labels if is_multi_label(task) else _one_hot(labels, len(class_names))
    decided = _decide(probs, task)
    per_class = _per_class(probs, truth, decided, task, class_names)
    aucs = _class_aucs(per_class, task)
    correct, confidence = _correct_and_confidence(probs, truth, decided, task)
    return Scores(
        images=len(labels),
        acc=float((decided == truth).mean() if is_multi_label(task) else correct.mean()),
        auc=_mean_if_whole(aucs),
        auc_present=_mean_present(aucs),
        balanced_accuracy=_balanced_accuracy(truth, decided, per_class, task),
        macro_f1=_macro_f1(truth, decided),
        ece=expected_calibration_error(confidence, correct),
        ece_bins=ECE_BINS,
        loss=cross_entropy(probs, truth, task),
        per_class=per_class,
    )


def auc(positive: NDArray[np.bool_], scores: Floats) -> float | None:
    """Area under the ROC curve by mid-ranks; None where one of the two groups is empty."""
    n_pos = int(positive.sum())
    n_neg = len(positive) - n_pos
    if n_pos == 0 or n_neg == 0:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mid_ranks = np.cumsum(counts) - (counts - 1) / 2.0
    rank_sum = float(mid_ranks[inverse][positive].sum())
    return (rank_sum - n_pos * (n_pos + 1) / 2.0) / (n_pos * n_neg)


def expected_calibration_error(
    confidence: Floats, correct: NDArray[np.bool_], bins: int = ECE_BINS
) -> float:
    """ECE over bins ``[k/bins, (k+1)/bins)``, the last one closed: 1.0 belongs to it."""
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = np.bincount(index, weights=correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(confidence))


def cross_entropy(probs: Floats, truth: Ints, task: Task) -> float:
    """Mean cross-entropy in nats; multi-label: mean over images and labels of the binary one."""
    tiny = np.finfo(np.float64).tiny
    if is_multi_label(task):
        p_true = np.where(truth == 1, probs, 1.0 - probs)
        return float(-np.log(np.maximum(p_true, tiny)).mean())
    return float(-np.log(np.maximum((probs * truth).sum(axis=1), tiny)).mean())


def _check(
    logits: NDArray[np.floating], labels: Ints, task: Task, class_names: tuple[str, ...]
) -> None:
    shape = (len(labels), len(class_names))
    if logits.shape != shape or labels.shape != (shape if is_multi_label(task) else shape[:1]):
        raise ValueError(
            f"logits {logits.shape} and labels {labels.shape} do not fit {len(class_names)} "
            f"classes of a {task} task"
        )
    if len(labels) == 0:
        raise ValueError("no images to score")
    if not np.isfinite(logits).all():
        raise ValueError("a logit is not finite")


def _one_hot(labels: Ints, classes: int) -> Ints:
    return np.asarray(labels[:, None] == np.arange(classes), dtype=np.int64)


def _decide(probs: Floats, task: Task) -> Ints:
    """Predictions as zeros and ones ``(N, C)``; two classes are cut at 0.5 of the second."""
    if is_multi_label(task):
        return (probs > THRESHOLD).astype(np.int64)
    if task == "binary-class":
        return _one_hot((probs[:, -1] > THRESHOLD).astype(np.int64), probs.shape[1])
    return _one_hot(np.asarray(probs.argmax(axis=1), dtype=np.int64), probs.shape[1])


def _per_class(
    probs: Floats, truth: Ints, decided: Ints, task: Task, class_names: tuple[str, ...]
) -> list[ClassScore]:
    scores = []
    for index, name in enumerate(class_names):
        positive = truth[:, index] == 1
        support = int(positive.sum())
        blank = None
        if support == 0:
            blank = f"no image of {name!r} in this split"
        elif support == len(positive):
            blank = f"no image without {name!r} in this split"
        recall = float(decided[positive, index].mean()) if support else None
        value = auc(positive, probs[:, index])
        scores.append(ClassScore(name=name, support=support, recall=recall, auc=value, blank=blank))
    return scores


def _class_aucs(per_class: list[ClassScore], task: Task) -> list[float | None]:
    """One AUC a class; a two-class task has one in all, that of its second class."""
    aucs = [entry.auc for entry in per_class]
    return aucs[-1:] if task == "binary-class" else aucs


def _mean_if_whole(values: list[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return float(np.sum(present) / len(values)) if len(present) == len(values) else None


def _mean_present(values: list[float | None]) -> float | None:
    return _mean_if_whole([value for value in values if value is not None] or [None])


def _correct_and_confidence(
    probs: Floats, truth: Ints, decided: Ints, task: Task
) -> tuple[NDArray[np.bool_], Floats]:
    """Whether each decision was right and how sure it was; multi-label: each label is one."""
    if is_multi_label(task):
        return (decided == truth).ravel(), np.maximum(probs, 1.0 - probs).ravel()
    right = (decided * truth).sum(axis=1) == 1
    return right, (probs * decided).sum(axis=1)


def _balanced_accuracy(
    truth: Ints, decided: Ints, per_class: list[ClassScore], task: Task
) -> float | None:
    """Mean recall over classes; multi-label: mean over labels of (sensitivity+specificity)/2."""
    if not is_multi_label(task):
        return _mean_if_whole([entry.recall for entry in per_class])
    if any(entry.blank for entry in per_class):
        return None
    sensitivity = (decided * truth).sum(axis=0) / truth.sum(axis=0)
    specificity = ((1 - decided) * (1 - truth)).sum(axis=0) / (1 - truth).sum(axis=0)
    return float(((sensitivity + specificity) / 2.0).mean())


def _macro_f1(truth: Ints, decided: Ints) -> float | None:
    """Mean over classes of 2TP / (2TP + FP + FN); blank where a class has no image."""
    support = truth.sum(axis=0)
    if (support == 0).any():
        return None
    true_positives = (decided * truth).sum(axis=0)
    return float((2.0 * true_positives / (decided.sum(axis=0) + support)).mean())
