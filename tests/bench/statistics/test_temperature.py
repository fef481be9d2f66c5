"""Temperatures against closed forms, a fine grid and logits of a known temperature."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, softmax

from bench.evaluation.scores import cross_entropy, probabilities
from bench.specs import Task
from bench.statistics.temperature import HIGHEST, LOWEST, cross_entropy_at, fit_temperature

TASKS: list[Task] = ["binary-class", "multi-class", "multi-label, binary-class"]


def drawn(task: Task, temperature: float, images: int = 4000) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels that follow the logits divided by a temperature."""
    rng = np.random.default_rng(0)
    classes = 2 if task == "binary-class" else 4
    logits = rng.normal(0, 3, (images, classes))
    if task == "multi-label, binary-class":
        labels = (rng.random(logits.shape) < expit(logits / temperature)).astype(np.int64)
    else:
        probs = softmax(logits / temperature, axis=1)
        labels = (probs.cumsum(axis=1) < rng.random((images, 1))).sum(axis=1)
    return logits, labels


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(task: Task, temperature: float) -> None:
    found = fit_temperature(*drawn(task, temperature), task)
    assert found.value == pytest.approx(temperature, rel=0.08)
    assert found.note is None


@pytest.mark.parametrize("task", TASKS)
def test_no_temperature_of_a_fine_grid_does_better(task: Task) -> None:
    logits, labels = drawn(task, 2.0, 60)
    found = fit_temperature(logits, labels, task).value
    assert found is not None
    least = cross_entropy_at(found, logits, labels, task)
    grid = np.geomspace(LOWEST, HIGHEST, 500)
    assert least <= min(cross_entropy_at(t, logits, labels, task) for t in grid) + 1e-9


def test_two_classes_with_one_size_of_logit_have_a_closed_form() -> None:
    # right with the margin 2 on 3 of 4 images: expit(2 / T) = 3 / 4
    logits = np.array([[0.0, 2.0]] * 4)
    found = fit_temperature(logits, np.array([1, 1, 1, 0]), "binary-class")
    assert found.value == pytest.approx(2 / math.log(3), rel=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_the_cross_entropy_is_that_of_the_records(task: Task) -> None:
    logits, labels = drawn(task, 1.0, 50)
    truth = labels if labels.ndim == 2 else np.eye(logits.shape[1], dtype=np.int64)[labels]
    expected = cross_entropy(probabilities(logits / 1.7, task), truth, task)
    assert cross_entropy_at(1.7, logits, labels, task) == pytest.approx(expected)


@pytest.mark.parametrize("size", [0.5, 5.0, 60.0, 30_000.0])
def test_separated_validation_images_reach_the_lower_bound(size: float) -> None:
    logits = np.array([[size, 0.0], [0.0, size]])
    found = fit_temperature(logits, np.array([0, 1]), "binary-class")
    assert found.value == LOWEST
    assert found.note is not None
    assert "validation is separated" in found.note
    labels = np.eye(2, dtype=np.int64)
    many = fit_temperature(logits - size / 2, labels, "multi-label, binary-class")
    assert many.value == LOWEST


def test_logits_that_mislead_reach_the_upper_bound() -> None:
    logits = np.array([[3.0, 0.0], [0.0, 3.0]])
    found = fit_temperature(logits, np.array([1, 0]), "binary-class")
    assert found.value == HIGHEST
    assert found.note is not None
    assert "do not help" in found.note


@pytest.mark.parametrize(
    ("logits", "labels", "task", "told"),
    [
        (np.ones((3, 2)), np.array([0, 1, 1]), "binary-class", "the same logit"),
        (np.zeros((3, 2)), np.eye(3, 2, dtype=np.int64), TASKS[2], "the same logit"),
        (np.zeros((0, 2)), np.zeros(0, dtype=np.int64), "multi-class", "no validation images"),
    ],
)
def test_where_no_temperature_matters_there_is_none(
    logits: NDArray[Any],
    labels: NDArray[Any],
    task: Task,
    told: str,
) -> None:
    found = fit_temperature(logits, labels, task)
    assert found.value is None
    assert found.note is not None
    assert told in found.note
