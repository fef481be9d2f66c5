"""Wilson's interval against its defining equation, known values and simulated coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.intervals import Z_95, wilson_over_images


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_each_end_is_where_the_score_test_just_rejects(counts: tuple[int, int]) -> None:
    correct, images = counts
    interval = wilson_over_images(correct, images)
    p = correct / images
    assert 0 <= interval.low <= p + 1e-12
    assert p - 1e-12 <= interval.high <= 1
    for end in (interval.low, interval.high):
        if 1e-9 < end < 1 - 1e-9:
            z = abs(p - end) / math.sqrt(end * (1 - end) / images)
            assert z == pytest.approx(Z_95, rel=1e-6)


def test_a_published_value() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, Table I: 81 of 263, 0.2553 to 0.3662
    interval = wilson_over_images(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


def test_coverage_at_the_sizes_it_is_used_with() -> None:
    rng = np.random.default_rng(0)
    for images, p in ((156, 0.85), (1024, 0.5), (1024, 0.98)):
        drawn = rng.binomial(images, p, size=4000)
        ends = [wilson_over_images(int(k), images) for k in drawn]
        covered = np.mean([end.low <= p <= end.high for end in ends])
        assert 0.93 <= covered <= 0.97, (images, p, covered)


@pytest.mark.parametrize(("correct", "images"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(correct: int, images: int) -> None:
    with pytest.raises(ValueError, match="0 <= correct <= images"):
        wilson_over_images(correct, images)
