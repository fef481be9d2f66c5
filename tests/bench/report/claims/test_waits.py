"""How many seeds an undecided claim waits for: against the interval worked out anew."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.report.claims.waits import MOST_SEEDS, seeds_to_decide, waits_for
from bench.statistics.differences import Difference, paired_difference


def shaped(mean: float, spread: float, n: int) -> Difference:
    """The interval of n values of exactly this mean and standard deviation."""
    values = np.linspace(-1, 1, n)
    values = mean + spread * values / values.std(ddof=1)
    return paired_difference([float(value) for value in values], [0.0] * n)


@given(
    st.floats(-0.04, 0.05), st.floats(0.005, 0.1), st.integers(2, 6), st.sampled_from([0.0, 0.01])
)
def test_so_many_seeds_decide_and_one_fewer_does_not(
    mean: float, spread: float, n: int, most: float
) -> None:
    def decides(found: Difference) -> bool:
        assert found.low is not None
        assert found.high is not None
        return found.low > 0 or found.high < most

    seen = shaped(mean, spread, n)
    wanted = seeds_to_decide(seen, least=0.0, most=most)
    last = MOST_SEEDS if wanted is None else wanted - 1
    if last > n:
        assert not decides(shaped(mean, spread, last))
    if wanted is not None:
        assert wanted > n
        assert decides(shaped(mean, spread, wanted))


def test_a_mean_on_the_edge_waits_for_more_than_can_be_trained() -> None:
    seen = shaped(0.0, 0.02, 5)
    assert seeds_to_decide(seen, least=0.0, most=0.0) is None
    assert f"more than {MOST_SEEDS} seeds" in waits_for(seen, least=0.0, most=0.0)
    told = waits_for(shaped(0.01, 0.02, 5), least=0.0, most=0.0)
    assert "seeds in all would support it" in told
    assert "would refute it" in waits_for(shaped(0.001, 0.02, 5), least=0.0, most=0.01)
    normal = (1.96 * 0.02 / 0.01) ** 2
    seeds = int(next(word for word in told.split() if word.isdigit()))
    assert math.isclose(seeds, normal, rel_tol=0.3)
