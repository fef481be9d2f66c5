"""The worlds against closed forms: what one observes in them is what the file says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.errors import InputError
from bench.simulate.file import SIMULATIONS, Scores, SimulationFile, World
from bench.simulate.score_world import ScoreWorld
from bench.simulate.world import DecisionWorld, disagreement
from bench.statistics.delong import auc_parts
from bench.toml_file import read_toml

TOLD = World(
    class_shares=[0.3, 0.7],
    class_accuracy=[0.6, 0.9],
    between_seeds=0.11,
    between_models=0.15,
    seed_sd=0.02,
)
WORLD = DecisionWorld.of(TOLD)
IMAGES = 4000


def test_disagreement_is_that_of_the_bivariate_normal() -> None:
    for t, shared in ((0.0, 0.5), (1.3, 0.8), (-0.4, 0.1)):
        both = stats.multivariate_normal([0, 0], [[1, shared], [shared, 1]]).cdf([t, t])
        wanted = 2 * (stats.norm.cdf(t) - both)
        found = disagreement(np.array([1.0]), np.array([t]), shared)
        assert found == pytest.approx(wanted, abs=1e-6)
    assert disagreement(np.array([1.0]), np.array([0.0]), 0.5) == pytest.approx(1 / 3)  # arcsine


def test_parts_of_variance_sum_to_one() -> None:
    parts = (WORLD.difficulty, WORLD.by_model, WORLD.of_seed, WORLD.chance)
    assert min(parts) > 0
    assert sum(parts) == pytest.approx(1)


def test_one_observes_what_the_file_says() -> None:
    rng = np.random.default_rng(0)
    classes = WORLD.classes(rng, 40, IMAGES)
    assert WORLD.mix(classes).mean(axis=0) == pytest.approx([0.3, 0.7], abs=0.01)
    base = WORLD.images(rng, 2, classes)
    right, good = WORLD.trainings(rng, base, 4)
    each = np.moveaxis(right, 3, 1)  # (R, N, M, S)
    for stratum, wanted in enumerate(TOLD.class_accuracy):
        assert each[classes == stratum].mean() == pytest.approx(wanted, abs=0.01)
    assert WORLD.accuracy() == pytest.approx(0.3 * 0.6 + 0.7 * 0.9)
    assert (right[:, 0, 0] != right[:, 0, 1]).mean() == pytest.approx(0.11, abs=0.005)
    assert (right[:, 0, 0] != right[:, 1, 0]).mean() == pytest.approx(0.15, abs=0.005)
    given = WORLD.of_training(good) @ WORLD.shares
    assert given.std() == pytest.approx(0.02, abs=0.003)
    # trainings vary about their own accuracy by what images alone do
    error = right.mean(axis=-1) - given
    assert error.std() == pytest.approx(math.sqrt(0.81 * 0.19 / IMAGES), rel=0.25)


def test_accuracy_on_given_images_is_the_mean_over_many_trainings() -> None:
    rng = np.random.default_rng(1)
    base = WORLD.images(rng, 1, WORLD.classes(rng, 2, 60))
    right, _ = WORLD.trainings(rng, base, 6000)
    assert right.mean(axis=(2, 3)) == pytest.approx(WORLD.on_images(base), abs=0.004)


@pytest.mark.parametrize("gap", [-0.04, 0.0, 0.005])
def test_a_shift_makes_just_the_difference_asked_for(gap: float) -> None:
    assert WORLD.accuracy(WORLD.shift_for(gap)) - WORLD.accuracy() == pytest.approx(gap)
    rng = np.random.default_rng(0)
    base = WORLD.images(rng, 1, WORLD.classes(rng, 5, 156))
    moved = base + WORLD.shift_on_images(base, gap)[:, None, None].astype(np.float32)
    assert WORLD.on_images(moved) - WORLD.on_images(base) == pytest.approx(
        np.full((5, 1), gap), abs=1e-6
    )


def test_more_spread_than_the_disagreement_allows_is_refused() -> None:
    with pytest.raises(InputError, match=r"differ by 0\.2 in accuracy"):
        DecisionWorld.of(TOLD.model_copy(update={"seed_sd": 0.2}))


def test_scores_have_the_auc_and_the_correlations_of_the_file() -> None:
    told = Scores(positive=0.4, auc=0.85, seed_sd=0.02, between_seeds=0.8, between_models=0.5)
    world, rng = ScoreWorld.of(told), np.random.default_rng(0)
    labels = world.labels(6000)
    assert labels.mean() == pytest.approx(0.4)
    found, given, seeds, models = [], [], [], []
    for _ in range(30):
        scores, truth = world.draw(rng, (0.85, 0.85), 4, labels)
        found += [auc_parts(labels == 1, row).value for row in scores.reshape(8, -1)]
        given += truth.ravel().tolist()
        negative = scores[..., labels == 0]
        seeds.append(np.corrcoef(negative[0, 0], negative[0, 1])[0, 1])
        models.append(np.corrcoef(negative[0, 0], negative[1, 0])[0, 1])
    assert np.mean(given) == pytest.approx(0.85, abs=0.004)
    assert np.std(given) == pytest.approx(0.02, abs=0.003)
    assert np.array(found, dtype=float) == pytest.approx(np.array(given), abs=0.03)
    assert np.mean(seeds) == pytest.approx(0.8, abs=0.01)
    assert np.mean(models) == pytest.approx(0.5, abs=0.02)


def test_all_worlds_of_the_file_can_be_drawn() -> None:
    file = read_toml(SIMULATIONS, SimulationFile)
    for told in file.world.values():
        world = DecisionWorld.of(told)
        assert world.chance > 0
        shared = world.difficulty + world.by_model
        assert disagreement(world.shares, world.thresholds, shared) == pytest.approx(
            told.between_seeds
        )
