"""What is often done instead, and what a verdict over seeds does not say; none is judged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from bench.simulate.file import SimulationFile
from bench.simulate.jobs import Job, chunks
from bench.simulate.methods import (
    AHEAD,
    ALL_BOTH,
    ALL_IMAGES,
    MCNEMAR,
    SEED_BOOTSTRAP,
    Methods,
)
from bench.simulate.rates import Key, Tally
from bench.simulate.words import DIFFERS, one_architecture, scores_by_seed
from bench.simulate.world import DecisionWorld
from bench.statistics.decisions import Floats
from bench.statistics.power import ALPHA

_WEIGHT = 0.0027  # seconds a repeat of both


def practice_jobs(file: SimulationFile, methods: Methods) -> Iterator[Job]:
    """Each world at each test size."""
    for name in file.practice.worlds:
        for images in file.practice.images:
            for repeats in chunks(file.practice.repeats, 2 * file.most_seeds * images):
                for said, run in (("practice", _practice), ("all images", _all_images)):
                    yield Job(
                        f"{said}, {name}, {images} images",
                        repeats * _WEIGHT / 2,
                        partial(run, file, methods, name, images, repeats),
                    )


def _practice(
    file: SimulationFile,
    methods: Methods,
    name: str,
    images: int,
    repeats: int,
    rng: np.random.Generator,
    tally: Tally,
) -> None:
    """Two groups of trainings of one architecture."""
    world = DecisionWorld.of(file.world[name])
    base = one_architecture(world, rng, repeats, 2, images)
    right, _ = world.trainings(rng, base, file.most_seeds)
    scores, truth = right.mean(axis=-1), world.on_images(base)[:, 0]
    key = partial(Key, "practice", world=name, images=images)
    for seeds in file.seeds:
        low, high = seed_bootstrap(scores[:, 0, :seeds], file.practice.draws, rng)
        for held in (low <= truth) & (truth <= high):
            tally.count(key(SEED_BOOTSTRAP, seeds=seeds), bool(held))
    ahead = np.abs(scores[:, 0, 0] - scores[:, 1, 0]) > file.practice.ahead_by
    for r in range(repeats):
        first, second = right[r, :, 0].astype(np.float64)
        p = methods.mcnemar(first, second).p
        tally.count(key(MCNEMAR, seeds=1), None if p is None else p <= ALPHA)
        tally.count(key(AHEAD, seeds=1), bool(ahead[r]))


def seed_bootstrap(scores: Floats, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """95 % percentile intervals ``(R,)`` of the means of ``scores`` ``(R, S)``."""
    seeds = scores.shape[1]
    counts = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    low, high = np.quantile(scores @ counts.T / seeds, [0.025, 0.975], axis=1)
    return low - 1e-12, high + 1e-12  # a mean of equal scores is that score, rounding apart


def _all_images(
    file: SimulationFile,
    methods: Methods,
    name: str,
    images: int,
    repeats: int,
    rng: np.random.Generator,
    tally: Tally,
) -> None:
    """Two architectures that are equally good on all images, and so not on these few."""
    world = DecisionWorld.of(file.world[name])
    base = world.images(rng, 2, world.classes(rng, repeats, images))
    right, _ = world.trainings(rng, base, file.most_seeds)
    key = partial(Key, "practice", world=name, images=images)
    for decided in right:
        scores = decided.mean(axis=-1)
        gaps = decided[0].astype(np.float64) - decided[1]
        for seeds in file.seeds:
            word = methods.verdict(
                scores_by_seed(scores[0], seeds), scores_by_seed(scores[1], seeds), advise=False
            ).word
            tally.count(key(ALL_IMAGES, seeds=seeds), word in DIFFERS)
            both = methods.both(gaps[:seeds])
            excluded = None if both.low is None else not both.low <= 0 <= (both.high or 0.0)
            tally.count(key(ALL_BOTH, seeds=seeds), excluded)
