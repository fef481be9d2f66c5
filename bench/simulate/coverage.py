"""Do intervals of accuracy hold what their names say?

Over images: the accuracy of *these* trainings on all images, with the classes mixed as they are
here (stratified) or in the world (Wilson). Over seeds: the mean over all seeds on *these* images.
Over seeds and images: the mean over all of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from bench.simulate.file import SimulationFile
from bench.simulate.jobs import Job, chunks
from bench.simulate.methods import (
    APART,
    BOOTSTRAP,
    BOTH,
    BOTH_DIFFERENCE,
    OVER_SEEDS,
    PAIRED,
    WILSON,
    Methods,
)
from bench.simulate.rates import Key, Tally
from bench.simulate.world import DecisionWorld
from bench.statistics.decisions import Floats
from bench.statistics.intervals import IntervalEstimate

_WEIGHT = 0.0028  # seconds a repeat


def accuracy_jobs(file: SimulationFile, methods: Methods) -> Iterator[Job]:
    """Each world at each test size."""
    for name in file.coverage.worlds:
        for images in file.coverage.images:
            for repeats in chunks(file.coverage.repeats, 2 * file.most_seeds * images):
                yield Job(
                    f"intervals of accuracy, {name}, {images} images",
                    repeats * _WEIGHT,
                    partial(_run, file, methods, name, images, repeats),
                )


def _run(
    file: SimulationFile,
    methods: Methods,
    name: str,
    images: int,
    repeats: int,
    rng: np.random.Generator,
    tally: Tally,
) -> None:
    world = DecisionWorld.of(file.world[name])
    classes = world.classes(rng, repeats, images)
    mix, worse = world.mix(classes), world.shift_for(-file.coverage.gap)
    base = world.images(rng, 2, classes)
    base[:, 1] += np.float32(worse)
    right, good = world.trainings(rng, base, file.most_seeds)
    on_images = world.on_images(base)
    of_first = world.of_training(good[:, 0, 0])  # (R, C)
    of_second = world.of_training(good[:, 1, 0], worse)
    over_all = world.accuracy(), world.accuracy(worse)
    for r in range(repeats):
        decided = right[r].astype(np.float64)  # (2, S, N)
        key = partial(Key, "coverage", world=name, images=images)
        first, second = decided[:, 0]
        found = methods.bootstrap(first, classes[r])
        tally.covered(key(BOOTSTRAP, seeds=1), found, float(mix[r] @ of_first[r]))
        wilson = methods.wilson(int(first.sum()), images)
        as_estimate = IntervalEstimate(float(first.mean()), wilson.low, wilson.high, "images")
        tally.covered(key(WILSON, seeds=1), as_estimate, float(world.shares @ of_first[r]))
        found = methods.paired(first, second, classes[r])
        tally.covered(key(PAIRED, seeds=1), found, float(mix[r] @ (of_first[r] - of_second[r])))
        for seeds in file.seeds:
            _over_seeds(
                methods, decided[:, :seeds], float(on_images[r, 0] - on_images[r, 1]), key, tally
            )
            found = methods.both(decided[0, :seeds], share=True)
            tally.covered(key(BOTH, seeds=seeds), found, over_all[0])
            found = methods.both(decided[0, :seeds] - decided[1, :seeds])
            tally.covered(key(BOTH_DIFFERENCE, seeds=seeds), found, over_all[0] - over_all[1])


def _over_seeds(
    methods: Methods, decided: Floats, truth: float, key: partial[Key], tally: Tally
) -> None:
    first, second = (dict(enumerate(row.tolist())) for row in decided.mean(axis=2))
    seeds = len(first)
    paired = methods.over_seeds(first, second).estimate
    tally.covered(key(OVER_SEEDS, seeds=seeds), paired, truth)
    apart = methods.over_seeds(first, {-1 - seed: score for seed, score in second.items()})
    tally.covered(key(APART, seeds=seeds), apart.estimate, truth)
