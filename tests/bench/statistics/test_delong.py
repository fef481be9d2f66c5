"""DeLong against brute force over all pairs, and against the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from bench.statistics.bootstrap_auc import bootstrap_auc_over_images
from bench.statistics.decisions import Floats, Ints
from bench.statistics.delong import auc_over_images, auc_parts, macro_auc_parts
from bench.statistics.two_trainings import auc_difference_over_images


def textbook(labels: Ints, trainings: list[Floats]) -> tuple[Floats, Floats]:
    """AUCs and covariance by DeLong's own formulas (1988, equations 4 to 6), pair by pair."""
    aucs, v10s, v01s = [], [], []
    for scores in trainings:
        x, y = scores[labels == 1], scores[labels == 0]
        psi = np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x])
        aucs.append(psi.mean())
        v10s.append(psi.mean(axis=1))
        v01s.append(psi.mean(axis=0))
    cov = np.cov(v10s) / len(x) + np.cov(v01s) / len(y)
    return np.array(aucs), np.asarray(cov)


def _tied(rng: np.random.Generator, images: int) -> tuple[Ints, Floats, Floats]:
    labels = np.concatenate([[0, 0, 1, 1], rng.integers(0, 2, images)])
    first = np.round(rng.normal(labels * 1.0, 1.0), 1)
    return labels, first, np.round(first + rng.normal(0, 1, len(labels)), 1)


@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_parts_hold_textbook_variances_and_covariances_with_ties(seed: int, images: int) -> None:
    labels, first, second = _tied(np.random.default_rng(seed), images)
    a, b = auc_parts(labels == 1, first), auc_parts(labels == 1, second)
    aucs, cov = textbook(labels, [first, second])
    assert a.parts is not None
    assert b.parts is not None
    assert (a.value, b.value) == pytest.approx(tuple(aucs))
    assert a.parts @ a.parts == pytest.approx(cov[0, 0])
    assert a.parts @ b.parts == pytest.approx(cov[0, 1])
    assert a.parts.sum() == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_order_of_images_and_of_trainings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, first, second = _tied(rng, 30)
    order = rng.permutation(len(labels))
    here = auc_difference_over_images(auc_parts(labels == 1, first), auc_parts(labels == 1, second))
    moved = labels[order] == 1
    there = auc_difference_over_images(
        auc_parts(moved, second[order]), auc_parts(moved, first[order])
    )
    for name in ("value", "low", "high"):
        mirrored = getattr(there[0].mirrored(), name)
        if mirrored is None:
            assert getattr(here[0], name) is None
        else:
            assert getattr(here[0], name) == pytest.approx(mirrored)
    assert here[1].p == (None if there[1].p is None else pytest.approx(there[1].p))


@pytest.mark.parametrize("classes", [3, 5])
def test_macro_is_sklearns_and_its_variance_the_bootstraps(classes: int) -> None:
    rng = np.random.default_rng(classes)
    labels = rng.permutation(np.repeat(np.arange(classes), 60))
    logits = rng.normal(size=(len(labels), classes)) + 1.2 * np.eye(classes)[labels]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = macro_auc_parts(probs, labels, "multi-class")
    assert found.parts is not None
    assert found.value == pytest.approx(roc_auc_score(labels, probs, multi_class="ovr"))
    delong = auc_over_images(found)
    resampled = bootstrap_auc_over_images([probs], labels, "multi-class", rng, draws=2000)
    assert resampled.value == pytest.approx(found.value)
    assert delong.low is not None
    assert delong.high is not None
    assert resampled.low is not None
    assert resampled.high is not None
    width, other = delong.high - delong.low, resampled.high - resampled.low
    assert width == pytest.approx(other, rel=0.12)
    apart = [auc_parts(labels == c, probs[:, c]).parts for c in range(classes)]
    independent = sum(float(p @ p) for p in apart if p is not None) / classes**2
    assert found.parts @ found.parts != pytest.approx(independent, rel=0.02)


def test_several_labels_and_two_classes_are_averaged_as_medmnist_does() -> None:
    rng = np.random.default_rng(0)
    many, probs = rng.integers(0, 2, (80, 4)), rng.random((80, 4))
    found = macro_auc_parts(probs, many, "multi-label, binary-class")
    assert found.value == pytest.approx(roc_auc_score(many, probs, average="macro"))
    two = rng.integers(0, 2, 80)
    found = macro_auc_parts(probs[:, :2], two, "binary-class")
    assert found.value == pytest.approx(roc_auc_score(two, probs[:, 1]))


def test_bootstrap_of_a_difference_is_delongs() -> None:
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], [60, 90])
    scores = [labels * d + rng.normal(size=150) for d in (1.5, 1.2)]
    probs = [np.stack([-s, s], axis=1) for s in scores]
    delong, _ = auc_difference_over_images(
        auc_parts(labels == 1, scores[0]), auc_parts(labels == 1, scores[1])
    )
    resampled = bootstrap_auc_over_images(probs, labels, "binary-class", rng, draws=4000)
    assert resampled.value == pytest.approx(delong.value)
    assert resampled.low == pytest.approx(delong.low, abs=0.012)
    assert resampled.high == pytest.approx(delong.high, abs=0.012)


def test_what_is_undefined_is_none_with_its_reason() -> None:
    labels = np.array([0, 0, 1, 1, 1])
    probs = np.array([[0.8, 0.1, 0.1]] * 2 + [[0.1, 0.8, 0.1]] * 3)
    absent = macro_auc_parts(probs, labels, "multi-class")
    assert (absent.value, absent.parts) == (None, None)
    assert absent.blank == "class 2: no image of the class"
    assert auc_over_images(absent).blank == absent.blank
    present = macro_auc_parts(probs, labels, "multi-class", present_only=True)
    assert present.value == 1.0
    perfect = auc_over_images(present)
    assert (perfect.value, perfect.low, perfect.high) == (1.0, None, None)
    assert "no spread" in str(perfect.blank)
    constant = auc_over_images(auc_parts(labels == 1, np.zeros(5)))
    assert (constant.value, constant.low) == (0.5, None)
    single = auc_parts(np.array([True, False, False]), np.array([0.3, 0.2, 0.4]))
    assert (single.value, single.parts) == (0.5, None)
    found = auc_parts(labels == 1, np.array([0.1, 0.5, 0.4, 0.6, 0.7]))
    difference, test = auc_difference_over_images(found, found)
    assert (difference.value, difference.low, test.p) == (0.0, None, None)
    assert "no image counts differently" in str(test.blank)
    difference, test = auc_difference_over_images(found, absent)
    assert (difference.value, test.p, test.blank) == (None, None, absent.blank)
    with pytest.raises(ValueError, match="5 and 4 images"):
        auc_difference_over_images(found, auc_parts(labels[:4] == 1, np.array([1.0, 3, 2, 4])))
    lost = bootstrap_auc_over_images([probs], labels, "multi-class", np.random.default_rng(0))
    assert (lost.value, lost.blank) == (None, absent.blank)
    rare = np.zeros((30, 2), dtype=np.int64)
    rare[:2, 0] = rare[:15, 1] = 1
    scores = np.random.default_rng(0).random((30, 2))
    lost = bootstrap_auc_over_images(
        [scores], rare, "multi-label, binary-class", np.random.default_rng(0)
    )
    assert lost.value is not None
    assert "resamples lack a class" in str(lost.blank)
