"""Verdicts, their power and Holm's correction, against references and by simulation."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from bench.statistics.holm import holm
from bench.statistics.power import (
    images_to_decide,
    pairs_to_decide,
    power_to_be_equivalent,
    power_to_differ,
    smallest_detectable,
)
from bench.statistics.verdict import over_family, verdict_over_seeds
from bench.statistics.wilcoxon import smallest_wilcoxon_p, wilcoxon_p

Gaps = st.lists(st.integers(-30, 30).map(lambda k: k / 156), min_size=0, max_size=12)
SWAPPED = {"better": "worse", "worse": "better"}


def test_p_values_are_scipys_and_statsmodels() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.85, 0.01, 5), rng.normal(0.85, 0.01, 5)
    found = verdict_over_seeds(dict(enumerate(a)), dict(enumerate(b)), region=0.02)
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert found.p_equivalence == pytest.approx(ttost_paired(a, b, -0.02, 0.02)[0])


@pytest.mark.parametrize(
    ("gaps", "word"),
    [
        ([0.05, 0.051, 0.049, 0.05, 0.052], "better"),
        ([-0.05, -0.051, -0.049, -0.05, -0.052], "worse"),
        ([0.001, -0.001, 0.0005, -0.0005, 0.0], "equivalent"),
        ([0.002, 0.0021, 0.0019, 0.002, 0.0022], "equivalent"),  # shown, and too small to matter
        ([0.05, -0.02, 0.01, -0.04, 0.03], "undecided"),
        ([0.05], "undecided"),
        ([0.0, 0.0, 0.0], "undecided"),
        ([], "undecided"),
    ],
)
def test_words(gaps: list[float], word: str) -> None:
    found = verdict_over_seeds(dict(enumerate(gaps)), dict.fromkeys(range(len(gaps)), 0.0))
    assert found.word == word
    assert found.because


def test_five_seeds_never_decide_by_wilcoxon_and_six_can() -> None:
    def judged(pairs: int) -> str:
        gaps = {seed: 0.05 + 0.001 * seed for seed in range(pairs)}
        found = verdict_over_seeds(gaps, dict.fromkeys(gaps, 0.0), test="wilcoxon")
        assert found.smallest_p == found.wilcoxon_smallest_p == 2.0 ** (1 - pairs)
        return f"{found.word}: {found.because}"

    assert judged(5) == "undecided: these seeds cannot give a p below 0.0625"
    assert judged(6).startswith("better")


@given(Gaps, st.sampled_from(["t", "wilcoxon"]))
def test_every_verdict_turns_with_its_arguments(gaps: list[float], test: str) -> None:
    first, second = dict(enumerate(gaps)), dict.fromkeys(range(len(gaps)), 0.0)
    here = verdict_over_seeds(first, second, test=test, advise=False)  # type: ignore[arg-type]
    there = verdict_over_seeds(second, first, test=test, advise=False)  # type: ignore[arg-type]
    assert here.word == SWAPPED.get(there.word, there.word)
    assert (here.word in SWAPPED) <= (here.difference.low is not None)
    if here.word == "equivalent":
        assert here.equivalence is not None
        assert max(map(abs, here.equivalence)) <= here.region + 1e-12


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12))
def test_holm_is_statsmodels(p_values: list[float | None]) -> None:
    present = [p for p in p_values if p is not None]
    found = holm(p_values)
    assert [p is None for p in found] == [p is None for p in p_values]
    if present:
        with mock.patch("gc.collect"):  # it has the whole heap collected at every call
            wanted = multipletests(present, method="holm")[1]
        assert [p for p in found if p is not None] == pytest.approx(wanted.tolist())


def test_a_family_withdraws_what_only_stands_alone() -> None:
    def weak(seed: int) -> dict[int, float]:
        return dict(enumerate(np.random.default_rng(seed).normal(0.012, 0.01, 5)))

    zero = dict.fromkeys(range(5), 0.0)
    alone = [verdict_over_seeds(weak(seed), zero) for seed in range(12)]
    family = over_family(alone)
    assert any(verdict.word == "better" for verdict in alone)
    for before, after in zip(alone, family, strict=True):
        assert (after.p or 0) >= (before.p or 0)
        if before.word == "undecided":
            assert after.word == "undecided"
        if after.word == "undecided":
            assert after.further_seeds is not None
    assert sum(v.word == "better" for v in family) < sum(v.word == "better" for v in alone)


@pytest.mark.parametrize(("difference", "pairs"), [(0.01, 5), (0.02, 5), (0.01, 12)])
def test_power_is_that_of_simulation(difference: float, pairs: int) -> None:
    draws = np.random.default_rng(0).normal(difference, 0.01, (20_000, pairs))
    error = draws.std(axis=1, ddof=1) / np.sqrt(pairs)
    shown = np.mean(draws.mean(axis=1) / error > stats.t.ppf(0.975, pairs - 1))
    assert power_to_differ(difference, 0.01, pairs) == pytest.approx(shown, abs=0.012)
    small, region = difference / 4, 0.012
    means = draws.mean(axis=1) - difference + small
    within = np.abs(means) + stats.t.ppf(0.95, pairs - 1) * error < region
    found = power_to_be_equivalent(small, 0.01, pairs, region)
    assert found <= within.mean() + 0.012
    assert found == pytest.approx(within.mean(), abs=0.03 if pairs > 5 else 0.25)


@pytest.mark.parametrize("pairs", [2, 3, 5, 10, 30])
def test_detectable_difference_is_statsmodels(pairs: int) -> None:
    wanted = TTestPower().solve_power(nobs=pairs, alpha=0.025, power=0.8, alternative="larger")
    assert smallest_detectable(2.0, pairs) == pytest.approx(2.0 * float(wanted), rel=1e-3)


def test_pairs_to_decide_are_the_fewest() -> None:
    wanted = pairs_to_decide(0.01, 0.012, 0.005)
    assert wanted is not None
    assert power_to_differ(0.01, 0.012, wanted) >= 0.8 > power_to_differ(0.01, 0.012, wanted - 1)
    equal = pairs_to_decide(0.0, 0.012, 0.005)
    assert equal is not None
    assert power_to_be_equivalent(0.0, 0.012, equal, 0.005) >= 0.8
    assert pairs_to_decide(0.0, 1.0, 0.005) is None
    assert pairs_to_decide(0.5, 1e-6, 0.005) == 2


def test_images_to_decide() -> None:
    found = images_to_decide(15, 5, 100)
    assert found is not None
    rng, won = np.random.default_rng(0), 0
    for _ in range(2000):
        b, c, _ = rng.multinomial(found, [0.15, 0.05, 0.8])
        won += stats.chi2.sf((b - c) ** 2 / (b + c), 1) < 0.05
    assert won / 2000 == pytest.approx(0.8, abs=0.04)
    assert images_to_decide(4, 4, 100) is None


def test_a_negative_region_is_refused() -> None:
    with pytest.raises(ValueError, match="got -1"):
        verdict_over_seeds({}, {}, region=-1)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9).filter(any))
def test_wilcoxon_is_that_of_all_signs(values: list[int]) -> None:
    gaps = np.array([value for value in values if value], dtype=np.float64)
    ranks = stats.rankdata(np.abs(gaps))
    signs = (np.arange(2 ** len(gaps))[:, None] >> np.arange(len(gaps))) & 1
    sums, seen = signs @ ranks, ranks[gaps > 0].sum()
    wanted = min(1.0, 2 * min((sums <= seen + 1e-9).mean(), (sums >= seen - 1e-9).mean()))
    assert wilcoxon_p(np.array(values, dtype=np.float64)) == pytest.approx(wanted)
    assert wilcoxon_p(gaps) >= smallest_wilcoxon_p(len(gaps)) - 1e-12


def test_wilcoxon_without_ties_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for pairs in (5, 9, 20, 40):
        gaps = rng.normal(0.2, 1, pairs)
        method = "exact" if pairs <= 25 else "approx"
        assert wilcoxon_p(gaps) == pytest.approx(stats.wilcoxon(gaps, method=method).pvalue)
