"""Scores against medmnist's own Evaluator functions, sklearn, and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from medmnist.evaluator import getACC, getAUC
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss, recall_score

from bench.evaluation.scores import auc, expected_calibration_error, probabilities, score
from bench.specs import Task

TOLERANCE = 1e-12
Logits = NDArray[np.float16]
Labels = NDArray[np.int64]


def example(task: Task, classes: int, seed: int, n: int = 80) -> tuple[Logits, Labels]:
    """Logits with ties (float16, few levels) and labels in which every class occurs."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)).round(1).astype(np.float16)
    if task == "multi-label, binary-class":
        labels = rng.integers(0, 2, size=(n, classes))
        labels[0], labels[1] = 0, 1
    else:
        labels = np.concatenate([np.arange(classes), rng.integers(0, classes, n - classes)])
    return logits, labels.astype(np.int64)


CASES: list[tuple[Task, int]] = [
    ("binary-class", 2),
    ("multi-class", 8),
    ("ordinal-regression", 5),
    ("multi-label, binary-class", 14),
]


@pytest.mark.parametrize(("task", "classes"), CASES)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_acc_and_auc_equal_medmnist_evaluator(task: Task, classes: int, seed: int) -> None:
    logits, labels = example(task, classes, seed)
    ours = score(logits, labels, task, tuple(map(str, range(classes))))
    probs = probabilities(logits, task)
    column = labels if labels.ndim == 2 else labels[:, None]  # as medmnist's files hold them
    assert ours.acc == pytest.approx(getACC(column, probs, task), abs=TOLERANCE)
    assert ours.auc == pytest.approx(getAUC(column, probs, task), abs=TOLERANCE)


@pytest.mark.parametrize(("task", "classes"), CASES[:3])
def test_other_scores_equal_sklearn(task: Task, classes: int) -> None:
    logits, labels = example(task, classes, seed=3)
    ours = score(logits, labels, task, tuple(map(str, range(classes))))
    probs = probabilities(logits, task)
    predicted = (probs[:, 1] > 0.5).astype(int) if classes == 2 else probs.argmax(axis=1)
    expected = {
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
        "macro_f1": f1_score(labels, predicted, average="macro"),
        "loss": log_loss(labels, probs),
    }
    for name, value in expected.items():
        assert getattr(ours, name) == pytest.approx(value, abs=1e-9), name
    recalls = recall_score(labels, predicted, average=None)
    assert [entry.recall for entry in ours.per_class] == pytest.approx(list(recalls))


def test_multi_label_scores_by_hand() -> None:
    labels = np.array([[1, 0], [1, 1], [0, 1], [0, 0]])
    logits = np.array([[2, -2], [-2, 2], [-2, 2], [-2, 2]], dtype=np.float16)
    ours = score(logits, labels, "multi-label, binary-class", ("a", "b"))
    # label a: one of two found, none false; label b: both found, one of two false
    assert ours.acc == 6 / 8
    assert ours.balanced_accuracy == pytest.approx(((0.5 + 1) / 2 + (1 + 0.5) / 2) / 2)
    assert ours.macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_a_class_absent_from_the_split_is_a_blank_with_its_reason_never_zero() -> None:
    logits = np.array([[3, 0, 0], [0, 3, 0], [0, 3, 0]], dtype=np.float16)
    ours = score(logits, np.array([0, 1, 1]), "multi-class", ("a", "b", "c"))
    assert ours.auc is None
    assert ours.auc_present == 1.0
    assert ours.balanced_accuracy is None
    assert ours.macro_f1 is None
    assert ours.per_class[2].recall is None
    assert ours.per_class[2].auc is None
    assert ours.per_class[2].blank == "no image of 'c' in this split"
    assert ours.per_class[0].blank is None
    assert ours.acc == 1.0


def test_a_split_of_one_class_has_no_auc() -> None:
    ours = score(np.zeros((3, 2), np.float16), np.ones(3, np.int64), "binary-class", ("a", "b"))
    assert ours.auc is None
    assert ours.auc_present is None
    assert ours.per_class[1].blank == "no image without 'b' in this split"


def test_confidence_one_falls_into_the_last_bin() -> None:
    # The textbook value for these two predictions; a bin of its own for 1.0 gives 0.525.
    confidence, correct = np.array([0.95, 1.0]), np.array([True, False])
    assert expected_calibration_error(confidence, correct, bins=10) == pytest.approx(0.475)


def test_auc_of_constant_scores_is_one_half_and_perfect_is_one() -> None:
    positive = np.array([True, False, True, False])
    assert auc(positive, np.zeros(4)) == 0.5
    assert auc(positive, positive.astype(float)) == 1.0
    assert auc(positive, -positive.astype(float)) == 0.0


def test_a_tie_between_two_classes_is_decided_as_medmnist_does() -> None:
    ours = score(np.zeros((2, 2), np.float16), np.array([0, 1]), "binary-class", ("a", "b"))
    assert ours.acc == 0.5  # 0.5 is not above the threshold: both are called 0


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((2, 3)), np.zeros(2, np.int64), "do not fit"),
        (np.zeros((2, 2)), np.zeros(3, np.int64), "do not fit"),
        (np.zeros((0, 2)), np.zeros(0, np.int64), "no images"),
        (np.array([[np.nan, 0], [0, 0]]), np.zeros(2, np.int64), "not finite"),
    ],
)
def test_bad_input_is_refused(logits: NDArray[np.float64], labels: Labels, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score(logits, labels, "binary-class", ("a", "b"))
