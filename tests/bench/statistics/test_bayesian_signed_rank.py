"""The Bayesian signed-rank test against its sums written out, closed forms and symmetry."""

from __future__ import annotations

import numpy as np
import pytest

from bench.statistics.bayesian_signed_rank import PRIOR, bayesian_signed_rank


def written_out(
    gaps: list[float], rng: np.random.Generator, region: float, draws: int
) -> tuple[float, float, float]:
    """Benavoli et al. 2017, draw by draw and pair by pair."""
    values, won = [0.0, *gaps], [0, 0, 0]
    for _ in range(draws):
        drawn = [rng.gamma(PRIOR), *(rng.gamma(1.0) for _ in gaps)]
        theta = [0.0, 0.0, 0.0]
        for a, weight_a in zip(values, drawn, strict=True):
            for b, weight_b in zip(values, drawn, strict=True):
                side = 0 if a + b > 2 * region else 2 if a + b < -2 * region else 1
                theta[side] += weight_a * weight_b
        won[theta.index(max(theta))] += 1
    return won[0] / draws, won[1] / draws, won[2] / draws


@pytest.mark.parametrize(
    "gaps",
    [[0.02, -0.01, 0.004, 0.03], [0.001, -0.002, 0.02], [-0.01, -0.02], [0.006, 0.004] * 3],
)
def test_it_is_the_sums_written_out(gaps: list[float]) -> None:
    found = bayesian_signed_rank(
        np.array(gaps), np.random.default_rng(0), region=0.005, draws=20_000
    )
    expected = written_out(gaps, np.random.default_rng(1), 0.005, 4000)
    told = (found.first_better, found.equivalent, found.second_better)
    assert told == pytest.approx(expected, abs=0.04)
    assert sum(p for p in told if p is not None) == pytest.approx(1)


def test_differences_far_beyond_the_region_leave_little_doubt() -> None:
    rng = np.random.default_rng(0)
    found = bayesian_signed_rank(np.full(12, 0.3), rng, region=0.005)
    assert found.first_better is not None
    assert found.first_better > 0.999
    found = bayesian_signed_rank(np.full(12, -0.3), rng, region=0.005)
    assert found.second_better is not None
    assert found.second_better > 0.999


def test_differences_within_the_region_are_equivalent_for_certain() -> None:
    found = bayesian_signed_rank(
        np.array([0.004, -0.005, 0.005]), np.random.default_rng(0), region=0.005
    )
    assert (found.first_better, found.equivalent, found.second_better) == (0.0, 1.0, 0.0)


def test_no_difference_anywhere_and_no_region_is_equivalent() -> None:
    found = bayesian_signed_rank(np.zeros(4), np.random.default_rng(0), region=0.0)
    assert found.equivalent == 1.0


def test_symmetric_differences_favour_neither() -> None:
    found = bayesian_signed_rank(
        np.array([0.1, -0.1, 0.2, -0.2]), np.random.default_rng(0), region=0.005, draws=40_000
    )
    assert found.first_better is not None
    assert found.first_better == pytest.approx(found.second_better, abs=0.02)


def test_the_prior_outweighs_two_data_sets_exactly_as_often_as_it_must() -> None:
    # two equal differences d > 2·region: only the pair (0, 0) lies inside, so the first is better
    # where w₀² < 1/2; w₀ has the law Beta(1/2, 2), whose distribution is (3√x − x√x) / 2
    root = np.sqrt(0.5)
    expected = (3 * np.sqrt(root) - root * np.sqrt(root)) / 2
    found = bayesian_signed_rank(
        np.array([0.1, 0.1]), np.random.default_rng(0), region=0.005, draws=200_000
    )
    assert found.first_better == pytest.approx(expected, abs=0.003)
    assert found.second_better == 0.0


@pytest.mark.parametrize(("gaps", "told"), [([0.1], "one data set shows"), ([], "no data set")])
def test_fewer_than_two_data_sets_are_blank(gaps: list[float], told: str) -> None:
    found = bayesian_signed_rank(np.array(gaps), np.random.default_rng(0), region=0.005)
    assert found.first_better is None
    assert found.blank is not None
    assert told in found.blank


def test_the_generator_alone_decides_the_draws() -> None:
    gaps = np.array([0.02, -0.01, 0.004])
    first, again, other = (
        bayesian_signed_rank(gaps, np.random.default_rng(seed), region=0.005) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(("region", "prior"), [(-0.1, 0.5), (0.0, 0.0)])
def test_what_cannot_be_used_is_refused(region: float, prior: float) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        bayesian_signed_rank(np.zeros(3), np.random.default_rng(0), region=region, prior=prior)
