"""The bootstrap by counts against the bootstrap by indices; decisions against stored scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.evaluation.scores import score
from bench.specs import Task
from bench.statistics.bootstrap import (
    DECISION,
    DIFFERENCE,
    bootstrap_over_images,
    resampled_means,
)
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


def test_one_image_of_which_nothing_is_known_is_drawn_too() -> None:
    """All right: the number of wrong ones in a resample is binomial with a half of ``N + 1``."""
    rng, images = np.random.default_rng(0), 156
    one_class = np.zeros(images, dtype=np.int64)
    perfect = bootstrap_over_images(np.ones(images), one_class, rng)
    most_wrong = stats.binom.ppf(0.975, images, 0.5 / (images + 1))
    assert (perfect.value, perfect.high, perfect.covers) == (1.0, 1.0, "images")
    assert perfect.low == pytest.approx(1 - most_wrong / images)
    alike = bootstrap_over_images(np.zeros(images), one_class, rng, unknown=DIFFERENCE)
    assert alike.low == -alike.high < 0 < alike.high  # type: ignore[operator]


def test_with_many_images_it_is_the_plain_bootstrap() -> None:
    rng, classes = np.random.default_rng(0), np.repeat([0, 1], 5000)
    values = (rng.random(10_000) < 0.8).astype(np.float64)
    plain = resampled_means(values, classes, rng)
    drawn = resampled_means(values, classes, rng, unknown=DECISION)
    assert drawn.mean() == pytest.approx(plain.mean(), abs=3e-4)
    assert drawn.std() == pytest.approx(plain.std(), rel=0.03)


@pytest.mark.parametrize("wrong_of_ten_thousand", [50, 150, 300])
def test_few_errors_do_not_make_intervals_too_short(wrong_of_ten_thousand: int) -> None:
    """Where the plain bootstrap holds the truth in less than 93 of 100 splits."""
    rng, images, repeats = np.random.default_rng(3), 400, 400
    truth = 1 - wrong_of_ten_thousand / 10_000
    one_class, held = np.zeros(images, dtype=np.int64), 0
    for _ in range(repeats):
        right = (rng.random(images) < truth).astype(np.float64)
        found = bootstrap_over_images(right, one_class, rng, 1000)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert held / repeats > 0.93 - 2 * np.sqrt(0.93 * 0.07 / repeats)


def test_no_image_gives_no_interval() -> None:
    rng = np.random.default_rng(0)
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
