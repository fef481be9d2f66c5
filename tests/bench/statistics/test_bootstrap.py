"""The bootstrap by counts against the bootstrap by indices; decisions against stored scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.evaluation.scores import score
from bench.specs import Task
from bench.statistics.bootstrap import bootstrap_over_images, resampled_means
from bench.statistics.decisions import right_by_image, strata


def test_counts_have_the_law_of_resampled_indices() -> None:
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], [10, 25, 40])
    values = rng.choice([-1.0, 0.0, 1.0], size=75, p=[0.2, 0.5, 0.3])
    slow = []
    for _ in range(6000):
        drawn = [rng.choice(values[classes == c], size=(classes == c).sum()) for c in range(3)]
        slow.append(np.concatenate(drawn).mean())
    fast = resampled_means(values, classes, rng, 6000)
    assert fast.mean() == pytest.approx(np.mean(slow), abs=0.004)
    assert fast.std() == pytest.approx(np.std(slow), rel=0.05)
    exact = sum(values[classes == c].var() * (classes == c).sum() for c in range(3)) / 75**2
    assert fast.std() == pytest.approx(np.sqrt(exact), rel=0.04)


@given(st.integers(0, 2**32 - 1))
def test_order_of_images_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes, values = rng.integers(0, 3, 40), rng.integers(0, 2, 40).astype(np.float64)
    order = rng.permutation(40)
    here = bootstrap_over_images(values, classes, np.random.default_rng(1), 200)
    there = bootstrap_over_images(values[order], classes[order], np.random.default_rng(1), 200)
    assert here == there


def test_no_spread_gives_no_interval() -> None:
    rng = np.random.default_rng(0)
    perfect = bootstrap_over_images(np.ones(9), np.zeros(9, dtype=np.int64), rng)
    assert (perfect.value, perfect.low, perfect.high, perfect.covers) == (1.0, None, None, "images")
    assert "same value" in str(perfect.blank)
    nothing = bootstrap_over_images(np.ones(0), np.zeros(0, dtype=np.int64), rng)
    assert (nothing.value, nothing.blank) == (None, "no images")


@pytest.mark.parametrize(
    ("task", "classes"),
    [("binary-class", 2), ("multi-class", 4), ("multi-label, binary-class", 3)],
)
def test_decisions_average_to_the_recorded_accuracy(task: Task, classes: int) -> None:
    rng = np.random.default_rng(1)
    many = task.startswith("multi-label")
    labels = rng.integers(0, 2 if many else classes, (50, classes) if many else 50)
    logits = rng.normal(size=(50, classes))
    probs = 1 / (1 + np.exp(-logits))
    if not many:
        probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    recorded = score(logits, labels, task, tuple("abcd"[:classes])).acc
    assert right_by_image(probs, labels, task).mean() == pytest.approx(recorded)
    assert strata(labels).shape == (50,)
