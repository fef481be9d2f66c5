"""Tests of two given trainings against SciPy's and statsmodels' and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from bench.statistics.two_trainings import accuracy_difference_over_images, mcnemar_two_trainings

Bits = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80)


@given(Bits)
def test_mcnemar_is_statsmodels_exact_test_and_turns_with_its_arguments(
    bits: list[tuple[bool, bool]],
) -> None:
    first, second = (np.array(one, dtype=np.float64) for one in zip(*bits, strict=True))
    found, turned = mcnemar_two_trainings(first, second), mcnemar_two_trainings(second, first)
    table = [[int(((first == a) & (second == b)).sum()) for b in (1, 0)] for a in (1, 0)]
    if found.blank is None:
        assert found.p == pytest.approx(mcnemar(table, exact=True).pvalue)
        assert found.p is not None
        assert found.smallest_p is not None
        assert found.p >= found.smallest_p - 1e-12
    else:
        assert (found.p, found.difference) == (1.0, 0.0)
    assert found.p == turned.p
    assert (found.first_only, found.second_only) == (turned.second_only, turned.first_only)
    assert found.difference == pytest.approx(-(turned.difference or 0))


def test_several_labels_and_nothing_have_no_mcnemar() -> None:
    found = mcnemar_two_trainings(np.array([0.5, 1.0]), np.array([1.0, 1.0]))
    assert (found.difference, found.p) == (-0.25, None)
    assert "several labels" in str(found.blank)
    assert mcnemar_two_trainings(np.zeros(0), np.zeros(0)).blank == "no images"


def test_paired_bootstrap_uses_the_pairs() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2, 400).astype(np.float64)
    second = first.copy()
    second[:12] = 1 - second[:12]
    classes = np.zeros(400, dtype=np.int64)
    paired = accuracy_difference_over_images(first, second, classes)
    shuffled = accuracy_difference_over_images(first, rng.permutation(second), classes)
    assert paired.low is not None
    assert paired.high is not None
    assert shuffled.low is not None
    assert shuffled.high is not None
    assert paired.high - paired.low < 0.4 * (shuffled.high - shuffled.low)
    same = accuracy_difference_over_images(first, first, classes)
    assert same.value == 0.0
    assert same.low is not None
    assert same.high is not None
    assert same.low == -same.high < 0  # one image more, of which nothing is known
