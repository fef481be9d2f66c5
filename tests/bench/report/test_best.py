"""What is bold: the best, and all that is not told apart from it; never more than was tested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.records.schema import CostResult, NoiseFloor
from bench.report.best import SEEDS_RULE, Best, best_by_throughput, best_over_seeds, told
from bench.statistics.holm import holm

FIVE = range(5)


def cost_result(
    speed: tuple[float, float, float] = (100, 95, 105), floor: float = 0.02
) -> CostResult:
    """Throughput as median, low, high."""
    return CostResult.model_construct(
        throughput_images_per_s_median=speed[0],
        throughput_images_per_s_low=speed[1],
        throughput_images_per_s_high=speed[2],
        noise_floor=NoiseFloor(model="m", throughput=floor, latency_p50=floor, latency_p95=None),
    )


def scores(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_a_model_that_is_surely_worse_is_not_bold_and_one_that_may_be_as_good_is() -> None:
    best = scores(0.90, 0.91, 0.92, 0.90, 0.91)
    worse = {seed: value - 0.1 + 0.001 * seed for seed, value in best.items()}
    alike = scores(0.92, 0.88, 0.91, 0.92, 0.89)
    found = best_over_seeds({"a": best, "worse": worse, "alike": alike})
    assert found == Best(frozenset({"a", "alike"}))


def test_holm_counts_the_comparisons_with_the_best() -> None:
    """A difference with p = 0.03 alone is excluded, but not as one of eight."""
    best = scores(0.90, 0.91, 0.92, 0.90, 0.91)
    gaps = (0.02, 0.06, 0.03, 0.05, 0.00)
    near = {seed: best[seed] - gap for seed, gap in zip(FIVE, gaps, strict=True)}
    p = float(stats.ttest_rel(list(best.values()), list(near.values())).pvalue)
    assert 0.02 < p < 0.05
    assert "near" not in best_over_seeds({"best": best, "near": near}).models
    others = {
        f"other{n}": {seed: best[seed] - 0.001 * (n + 1) * (-1) ** seed - 0.0005 for seed in FIVE}
        for n in range(7)
    }
    assert holm([p, *[0.9] * 7])[0] == pytest.approx(8 * p)
    assert "near" in best_over_seeds({"best": best, "near": near, **others}).models


def test_one_seed_makes_nothing_bold_and_says_why() -> None:
    found = best_over_seeds({"a": scores(0.9), "b": scores(0.8)})
    assert not found.models
    assert "one seed" in str(found.blank)
    assert best_over_seeds({"a": scores(0.9, 0.8)}).blank == "fewer than two models have it"
    assert best_over_seeds({"a": scores(0.9, 0.8), "b": {}}).models == frozenset()


def test_what_could_not_be_tested_is_named() -> None:
    best = scores(0.9, 0.91, 0.93)
    steady = {seed: value - 0.01 for seed, value in best.items()}
    other = scores(0.9, 0.90, 0.93)
    given = {"best": best, "steady": steady, "single": scores(0.89), "other": other}
    found = best_over_seeds(given)
    assert found.steady == ("steady",)  # no spread: nothing is excluded
    assert found.untested == ("single",)
    assert found.models == frozenset({"best", "steady", "other"})
    lines = told(SEEDS_RULE, {"ACC": found, "AUC": Best(blank="why")})
    assert lines[0] == SEEDS_RULE
    assert lines[1:] == [
        "Nothing is bold in AUC: why.",
        "Not held against the best of ACC: single (one seed to compare by).",
        "Bold without a test in ACC: steady (the same difference in every seed, no spread).",
    ]
    assert told(SEEDS_RULE, {"ACC": Best(blank="why")}) == ["Nothing is bold in ACC: why."]


@given(
    st.lists(
        st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=5, unique_by=tuple
    )
)
def test_the_highest_mean_is_always_bold_and_the_order_of_models_is_nothing(
    values: list[list[float]],
) -> None:
    given = {f"m{place}": scores(*own) for place, own in enumerate(values)}
    found = best_over_seeds(given)
    again = best_over_seeds(dict(reversed(given.items())))
    means = {name: sum(own.values()) / 3 for name, own in given.items()}
    top = max(means.values())
    if found.models and sum(mean > top - 1e-12 for mean in means.values()) == 1:
        assert max(means, key=means.__getitem__) in found.models
        assert found.models == again.models


def test_the_fastest_and_those_within_the_noise_floor_are_bold() -> None:
    fast = cost_result(speed=(100, 95, 105), floor=0.02)
    inside = cost_result(speed=(92, 90, 93.5), floor=0.02)  # 93.5 · 1.02 = 95.4
    beyond = cost_result(speed=(91, 89, 93.0), floor=0.02)  # 93.0 · 1.02 = 94.9
    found = best_by_throughput({"beyond": beyond, "fast": fast, "inside": inside})
    assert found.models == frozenset({"fast", "inside"})
    coarse = beyond.model_copy(update={"noise_floor": cost_result(floor=0.1).noise_floor})
    assert "coarse" in best_by_throughput({"fast": fast, "coarse": coarse}).models
    lacking = beyond.model_copy(update={"noise_floor": None})
    assert best_by_throughput({"fast": fast, "lacking": lacking}).blank


def test_choosing_the_best_by_its_scores_costs_little() -> None:
    """Ten models that are all alike, five seeds: the level is 5 %, and it is not kept exactly."""
    rng, tries = np.random.default_rng(0), 150
    excluded = 0
    for _ in range(tries):
        drawn = rng.normal(0.8, 0.02, (10, 5))
        found = best_over_seeds({f"m{n}": scores(*map(float, own)) for n, own in enumerate(drawn)})
        excluded += len(found.models) < 10
    assert 0.05 < excluded / tries < 0.25
