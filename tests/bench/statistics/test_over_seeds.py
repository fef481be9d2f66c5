"""Differences over seeds: SciPy's intervals, pairing, and what few seeds cannot give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.bootstrap import bootstrap_over_images
from bench.statistics.delong import AucParts, auc_parts
from bench.statistics.over_seeds import difference_over_seeds
from bench.statistics.over_seeds_and_images import (
    auc_over_seeds_and_images,
    mean_over_seeds_and_images,
)

Scores = st.dictionaries(st.integers(0, 9), st.integers(0, 156).map(lambda k: k / 156))


def test_shared_seeds_are_paired_and_others_are_welchs() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.8, 0.01, 5), rng.normal(0.79, 0.03, 4)
    paired = difference_over_seeds(dict(enumerate(a)), dict(enumerate(b)))
    wanted = stats.ttest_rel(a[:4], b).confidence_interval(0.95)
    assert (paired.estimate.low, paired.estimate.high) == pytest.approx(tuple(wanted))
    assert (paired.seeds, paired.left_out) == ((0, 1, 2, 3), (4,))
    apart = difference_over_seeds(dict(enumerate(a)), {10 + i: x for i, x in enumerate(b)})
    wanted = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (apart.estimate.low, apart.estimate.high) == pytest.approx(tuple(wanted))
    assert apart.seeds == ()
    assert paired.estimate.covers == apart.estimate.covers == "seeds"


@given(Scores, Scores)
def test_any_scores_give_an_answer_that_turns_with_its_arguments(
    first: dict[int, float], second: dict[int, float]
) -> None:
    here, there = difference_over_seeds(first, second), difference_over_seeds(second, first)
    mirrored = there.estimate.mirrored()
    assert here.estimate.value == (
        None if mirrored.value is None else pytest.approx(mirrored.value, abs=1e-12)
    )
    assert (here.estimate.low is None) == (here.error is None) == (here.estimate.blank is not None)
    if here.estimate.low is not None:
        assert here.estimate.low == pytest.approx(mirrored.low, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({0: 0.8}, {0: 0.7}, "one pair"),
        ({0: 0.8, 1: 0.9}, {0: 0.7, 1: 0.8}, "same for every seed"),
        ({0: 0.8, 1: 0.9}, {0: 0.8, 1: 0.9}, "same for every seed"),
        ({0: 0.8}, {1: 0.7}, "no shared seeds"),
        ({0: 0.8, 1: 0.8}, {2: 0.7, 3: 0.7}, "every seed gives the same"),
        ({}, {0: 0.7}, "no training"),
    ],
)
def test_where_seeds_show_no_spread_there_is_no_interval(
    first: dict[int, float], second: dict[int, float], reason: str
) -> None:
    found = difference_over_seeds(first, second)
    assert found.estimate.low is None
    assert found.interval(0.9) is None
    assert found.p_beyond(0, above=True) is None
    assert reason in str(found.estimate.blank)


def test_seeds_and_images_follow_the_textbook_table_and_hold_the_interval_over_seeds() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(4, 50)) + rng.normal(size=50) + rng.normal(size=(4, 1))
    found = mean_over_seeds_and_images(values)
    mean = values.mean()  # sums of squares, term by term
    s2 = 50 * sum((values[s].mean() - mean) ** 2 for s in range(4)) / 3
    i2 = 4 * sum((values[:, i].mean() - mean) ** 2 for i in range(50)) / 49
    r2 = sum(
        (values[s, i] - values[s].mean() - values[:, i].mean() + mean) ** 2
        for s in range(4)
        for i in range(50)
    ) / (3 * 49)
    freedom = (s2 + i2 - r2) ** 2 / (s2**2 / 3)  # Satterthwaite's, of the seeds' part alone
    half = np.sqrt((s2 + i2 - r2) / 200) * stats.t.ppf(0.975, freedom)
    least = np.sqrt(s2 / 200) * stats.t.ppf(0.975, 3)
    assert found.high == pytest.approx(mean + max(half, least), rel=1e-6)
    rows = values.mean(axis=1).tolist()
    alone = difference_over_seeds(dict(enumerate(rows)), dict.fromkeys(range(4), 0.0)).estimate
    assert found.low is not None
    assert alone.low is not None
    assert found.low <= alone.low + 1e-12
    order = np.ix_(rng.permutation(4), rng.permutation(50))
    assert mean_over_seeds_and_images(values[order]).low == pytest.approx(found.low)
    assert mean_over_seeds_and_images(-values).mirrored().low == pytest.approx(found.low)


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("of_seeds", [0.02, 0.3, 0.9])
def test_it_covers_both_however_the_variance_is_shared_out(seeds: int, of_seeds: float) -> None:
    """Neither Howe's sum of squares (98 % at three seeds) nor a bare pooled t (92 %)."""
    rng, images, held = np.random.default_rng(0), 100, 0
    for _ in range(2000):
        values = rng.normal(0, np.sqrt((1 - of_seeds) * images), images) + rng.normal(
            0, np.sqrt(of_seeds * seeds), (seeds, 1)
        )
        found = mean_over_seeds_and_images(values)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0 <= found.high
    assert 0.932 < held / 2000 < 0.968


def test_a_share_near_one_keeps_its_level_and_stays_below_one() -> None:
    """A symmetric interval does not hold its level here."""
    rng, held = np.random.default_rng(0), [0, 0]
    for _ in range(1000):
        easy = stats.norm.ppf(0.97) + np.sqrt(0.6) * rng.normal(size=156)
        right = (easy + np.sqrt(0.4) * rng.normal(size=(10, 156)) > 0).astype(np.float64)
        for place, share in enumerate((False, True)):
            found = mean_over_seeds_and_images(right, share=share)
            assert found.low is not None
            assert found.high is not None
            held[place] += found.low <= 0.97 <= found.high
            assert found.high <= 1 or not share
    assert held[0] < 932 < held[1]


def test_many_seeds_of_one_training_are_as_sure_as_its_images() -> None:
    """Seeds that hardly differ leave only the images' uncertainty, that of the bootstrap."""
    rng = np.random.default_rng(0)
    right = rng.integers(0, 2, 300).astype(np.float64)
    values = np.tile(right, (10, 1))
    values[range(10), range(10)] = 1 - values[range(10), range(10)]
    both = mean_over_seeds_and_images(values)
    images = bootstrap_over_images(right, np.zeros(300, dtype=np.int64))
    assert both.low is not None
    assert both.high is not None
    assert images.low is not None
    assert images.high is not None
    assert both.high - both.low == pytest.approx(images.high - images.low, rel=0.1)


def test_auc_over_both_has_the_mean_auc_and_its_blanks() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [40, 60])
    first, second = (
        [auc_parts(labels == 1, labels * d + rng.normal(size=100)) for _ in range(3)]
        for d in (1.5, 1.0)
    )
    found = auc_over_seeds_and_images(first, second)
    wanted = np.mean([one.value or 0 for one in first]) - np.mean([o.value or 0 for o in second])
    assert found.value == pytest.approx(wanted)
    assert found.covers == "seeds and images"
    assert auc_over_seeds_and_images(first).value == pytest.approx(
        np.mean([one.value or 0 for one in first])
    )
    broken = auc_over_seeds_and_images([AucParts(None, None, "a class is absent")])
    assert (broken.value, broken.blank) == (None, "a class is absent")
    assert auc_over_seeds_and_images([]).blank == "no trainings"
    with pytest.raises(ValueError, match="zip"):
        auc_over_seeds_and_images(first, second[:1])


def test_one_seed_or_equal_seeds_have_no_interval_over_both() -> None:
    one = mean_over_seeds_and_images(np.ones((1, 9)))
    assert (one.value, one.low) == (1.0, None)
    assert "1 seed(s)" in str(one.blank)
    same = mean_over_seeds_and_images(np.tile([0.0, 1.0], (3, 4)))
    assert (same.value, same.low) == (0.5, None)
    assert mean_over_seeds_and_images(np.ones((0, 9))).value is None
