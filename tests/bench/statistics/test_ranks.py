"""Ranks across data sets against Demšar's printed numbers, scikit-posthocs and enumeration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scikit_posthocs
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bench.statistics.ranks import (
    critical_difference,
    friedman,
    groups_not_told_apart,
    mean_ranks,
    wilcoxon_holm,
)

Scores = st.lists(
    st.lists(st.integers(0, 5).map(lambda k: k / 5), min_size=3, max_size=3), min_size=2, max_size=8
)


def test_demsars_four_classifiers_on_14_data_sets_are_one_group() -> None:
    """Demšar 2006 (JMLR 7:1), section 3.2.2: the difference is 1.25, too wide for these ranks."""
    difference = critical_difference(4, 14)
    assert difference is not None
    assert difference == pytest.approx(1.25, abs=5e-3)
    printed = np.array([3.143, 2.000, 2.893, 1.964])
    assert groups_not_told_apart(printed, difference) == [(3, 1, 2, 0)]


def test_friedmans_statistic_is_its_formula_with_ties() -> None:
    scores = np.random.default_rng(2).integers(0, 4, (7, 4)) / 4
    ranks = stats.rankdata(-scores, axis=1)
    datasets, models = scores.shape
    spread = (ranks**2).sum() - datasets * models * (models + 1) ** 2 / 4
    of_sums = ((ranks.sum(axis=0) - datasets * (models + 1) / 2) ** 2).sum()
    statistic = (models - 1) * of_sums / datasets / (spread / datasets)
    found = friedman(scores)
    assert found.statistic == pytest.approx(statistic)
    assert found.p == pytest.approx(stats.chi2.sf(statistic, models - 1))


@pytest.mark.parametrize(
    ("models", "quantile"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)]
)
def test_the_quantiles_are_those_of_demsars_table(models: int, quantile: float) -> None:
    found = critical_difference(models, 10)
    assert found == pytest.approx(quantile * np.sqrt(models * (models + 1) / 60), rel=5e-4)


def test_nemenyis_difference_decides_as_scikit_posthocs_does() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(9, 5)) + np.arange(5) * 0.6
    ranks, difference = mean_ranks(scores), critical_difference(5, 9)
    assert difference is not None
    p_values = np.asarray(scikit_posthocs.posthoc_nemenyi_friedman(scores))
    apart = np.abs(ranks[:, None] - ranks[None, :]) > difference
    assert (apart == (p_values < 0.05)).all()
    assert apart.any()
    assert not apart.all(where=~np.eye(5, dtype=bool))


@given(Scores)
def test_friedman_is_scipys_or_a_blank(rows: list[list[float]]) -> None:
    scores = np.array(rows)
    found = friedman(scores)
    if all(len(set(row)) == 1 for row in rows):
        assert found.p is None
        assert found.blank == "all models are tied on every data set"
    else:
        expected = stats.friedmanchisquare(*scores.T)
        assert found.p == pytest.approx(expected.pvalue)
    assert mean_ranks(scores).sum() == pytest.approx(6)


def test_too_few_data_sets_or_models_are_blank_with_the_reason() -> None:
    assert friedman(np.array([[1.0, 2.0, 3.0]])).blank == (
        "1 data set shows no spread over data sets"
    )
    assert friedman(np.array([[1.0, 2.0], [2.0, 1.0]])).blank == (
        "2 models: Friedman's test needs three"
    )
    assert critical_difference(1, 5) is None
    assert critical_difference(5, 1) is None


def test_ties_share_their_rank_rounding_apart() -> None:
    assert mean_ranks(np.array([[0.1 + 0.2, 0.3, 0.9]])).tolist() == [2.5, 2.5, 1.0]


@pytest.mark.parametrize("scores", [np.zeros(3), np.zeros((0, 2)), np.array([[0.1, np.nan]])])
def test_scores_that_cannot_be_ranked_are_refused(scores: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"data sets × models|lacks the score"):
        mean_ranks(scores)


def test_groups_are_the_largest_within_reach() -> None:
    ranks = np.array([4.0, 1.0, 1.9, 2.8])
    assert groups_not_told_apart(ranks, 1.0) == [(1, 2), (2, 3)]
    assert groups_not_told_apart(ranks, 2.0) == [(1, 2, 3), (3, 0)]
    assert groups_not_told_apart(ranks, 9.0) == [(1, 2, 3, 0)]
    assert groups_not_told_apart(ranks, 0.5) == []


@given(
    st.lists(st.integers(2, 20).map(lambda k: k / 2), min_size=1, max_size=8),
    st.integers(0, 12).map(lambda k: k / 2),
)
def test_two_models_share_a_group_exactly_where_they_are_within_reach(
    given_ranks: list[float], reach: float
) -> None:
    groups = groups_not_told_apart(np.array(given_ranks), reach)
    for a in range(len(given_ranks)):
        for b in range(a):
            together = any(a in group and b in group for group in groups)
            assert together == (abs(given_ranks[a] - given_ranks[b]) <= reach)
    assert all(not set(g) < set(h) for g in groups for h in groups)


def test_pairs_are_wilcoxons_under_statsmodels_holm() -> None:
    rng = np.random.default_rng(3)
    gaps = [rng.normal(shift, 1.0, 12) for shift in (0.0, 2.0, -1.5)]
    found = wilcoxon_holm(gaps)
    raw = [stats.wilcoxon(gap, method="exact").pvalue for gap in gaps]
    assert [one.p for one in found] == pytest.approx(multipletests(raw, method="holm")[1])
    assert [one.word for one in found] == ["undecided", "better", "worse"]
    assert found[0].smallest_p == 2.0**-11


def test_what_so_many_data_sets_cannot_reach_is_undecided_whatever_was_seen() -> None:
    all_agree = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    (alone,) = wilcoxon_holm([all_agree])
    assert alone.p == alone.smallest_p == 2.0**-4
    assert alone.word == "undecided"
    assert "cannot give a p below 0.0625" in alone.because
    (six,) = wilcoxon_holm([np.append(all_agree, 0.6)])
    assert six.word == "better"
    both = wilcoxon_holm([np.append(all_agree, 0.6)] * 2)
    assert [one.word for one in both] == ["undecided"] * 2
    assert both[0].smallest_holm_p == 2 * 2.0**-5


def test_equal_models_have_p_1_and_a_pair_needs_data_sets() -> None:
    (found,) = wilcoxon_holm([np.zeros(7)])
    assert found.p == 1.0
    assert found.word == "undecided"
    with pytest.raises(ValueError, match="no data set in common"):
        wilcoxon_holm([np.zeros(0)])
