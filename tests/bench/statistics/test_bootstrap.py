"""The law of resamples against resamples; decisions against stored scores."""

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
    Unknown,
    bootstrap_over_images,
    resampled_law,
)
from bench.statistics.decisions import Floats, Ints, right_by_image, strata


def drawn_means(
    values: Floats, classes: Ints, rng: np.random.Generator, draws: int, unknown: Unknown = ()
) -> Floats:
    """The plain bootstrap: counts of what each class has, drawn and averaged."""
    totals = np.zeros(draws)
    for stratum in np.unique(classes):
        kinds, counts = np.unique(values[classes == stratum], return_counts=True)
        kinds = np.concatenate([kinds, [value for value, _ in unknown]])
        weights = np.concatenate([counts, [probability for _, probability in unknown]])
        totals += rng.multinomial(counts.sum(), weights / weights.sum(), size=draws) @ kinds
    return np.asarray(totals / len(values))


@pytest.mark.parametrize(
    ("kinds", "unknown", "parts"),
    [
        ([0.0, 1.0], DECISION, 1),
        ([-1.0, 0.0, 1.0], DIFFERENCE, 1),
        ([0.0, 0.25, 0.5, 0.75, 1.0], DECISION, 4),
        ([-1.0, 0.0, 1.0], (), 1),
    ],
)
def test_the_law_is_that_of_drawn_resamples(
    kinds: list[float], unknown: Unknown, parts: int
) -> None:
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], [10, 25, 40])
    values = rng.choice(kinds, size=75)
    means, law = resampled_law(values, classes, unknown, parts)
    drawn = drawn_means(values, classes, rng, 200_000, unknown)
    assert law.sum() == pytest.approx(1, abs=1e-12)
    assert (np.diff(means) > 0).all()
    for share in (0.01, 0.025, 0.5, 0.975, 0.99):
        at = np.quantile(drawn, share)
        below, upto = law[means < at - 1e-9].sum(), law[means < at + 1e-9].sum()
        assert below - 0.003 < share < upto + 0.003


def test_one_class_of_decisions_is_binomial() -> None:
    values = np.repeat([0.0, 1.0], [30, 90])
    means, law = resampled_law(values, np.zeros(120, dtype=np.int64))
    assert means.tolist() == [k / 120 for k in range(121)]
    assert law == pytest.approx(stats.binom.pmf(np.arange(121), 120, 0.75), abs=1e-14)


@pytest.mark.parametrize("images", [2000, 44_000])
def test_a_large_split_has_the_law_of_its_variance(images: int) -> None:
    rng = np.random.default_rng(0)
    values, classes = rng.integers(0, 15, images) / 14, rng.integers(0, 3, images)
    means, law = resampled_law(values, classes, parts=14)
    exact = sum(values[classes == c].var() * (classes == c).sum() for c in range(3)) / images**2
    mean = float(means @ law)
    assert law.sum() == pytest.approx(1, abs=1e-9)
    assert mean == pytest.approx(values.mean(), abs=1e-9)
    assert float((means - mean) ** 2 @ law) == pytest.approx(exact, rel=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_order_of_images_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes, values = rng.integers(0, 3, 40), rng.integers(0, 2, 40).astype(np.float64)
    order = rng.permutation(40)
    here = bootstrap_over_images(values, classes)
    assert here == bootstrap_over_images(values[order], classes[order])


def test_one_image_of_which_nothing_is_known_is_drawn_too() -> None:
    """All right: the number of wrong ones in a resample is binomial with a half of ``N + 1``."""
    images = 156
    one_class = np.zeros(images, dtype=np.int64)
    perfect = bootstrap_over_images(np.ones(images), one_class)
    most_wrong = stats.binom.ppf(0.975, images, 0.5 / (images + 1))
    assert (perfect.value, perfect.high, perfect.covers) == (1.0, 1.0, "images")
    assert perfect.low == pytest.approx(1 - most_wrong / images)
    alike = bootstrap_over_images(np.zeros(images), one_class, unknown=DIFFERENCE)
    assert alike.low == -alike.high < 0 < alike.high  # type: ignore[operator]


def test_with_many_images_it_is_the_plain_bootstrap() -> None:
    rng, classes = np.random.default_rng(0), np.repeat([0, 1], 5000)
    values = (rng.random(10_000) < 0.8).astype(np.float64)
    plain = bootstrap_over_images(values, classes, unknown=())
    whole = bootstrap_over_images(values, classes)
    assert (whole.low, whole.high) == pytest.approx((plain.low, plain.high), abs=2e-4)


@pytest.mark.parametrize("wrong_of_ten_thousand", [50, 150, 300])
def test_few_errors_do_not_make_intervals_too_short(wrong_of_ten_thousand: int) -> None:
    """Where the plain bootstrap holds the truth in less than 93 of 100 splits."""
    rng, images, repeats = np.random.default_rng(3), 400, 400
    truth = 1 - wrong_of_ten_thousand / 10_000
    one_class, held = np.zeros(images, dtype=np.int64), 0
    for _ in range(repeats):
        right = (rng.random(images) < truth).astype(np.float64)
        found = bootstrap_over_images(right, one_class)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert held / repeats > 0.93 - 2 * np.sqrt(0.93 * 0.07 / repeats)


def test_no_image_gives_no_interval() -> None:
    nothing = bootstrap_over_images(np.ones(0), np.zeros(0, dtype=np.int64))
    assert (nothing.value, nothing.blank) == (None, "no images")


def test_a_value_between_the_steps_is_refused() -> None:
    one_class = np.zeros(3, dtype=np.int64)
    assert bootstrap_over_images(np.array([0.0, 0.5, 1.0]), one_class, parts=2).value == 0.5
    with pytest.raises(ValueError, match="a number of 1 parts"):
        bootstrap_over_images(np.array([0.0, 0.5, 1.0]), one_class)


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
