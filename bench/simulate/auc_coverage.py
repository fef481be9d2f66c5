"""Do intervals of AUC hold what their names say?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from bench.simulate.file import SimulationFile
from bench.simulate.jobs import Job, chunks
from bench.simulate.methods import (
    AUC_BOTH,
    AUC_BOTH_DIFFERENCE,
    DELONG,
    DELONG_PAIRED,
    Methods,
)
from bench.simulate.rates import Key, Tally
from bench.simulate.score_world import ScoreWorld
from bench.statistics.delong import auc_parts

_WEIGHT = 0.0031  # seconds a repeat


def auc_jobs(file: SimulationFile, methods: Methods) -> Iterator[Job]:
    """Each world of scores at each test size."""
    for name in file.auc.worlds:
        for images in file.auc.images:
            for repeats in chunks(file.auc.repeats, 2 * file.most_seeds * images):
                yield Job(
                    f"intervals of AUC, {name}, {images} images",
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
    world = ScoreWorld.of(file.scores[name])
    labels = world.labels(images)
    positive, aucs = labels == 1, (world.auc, world.auc - file.auc.gap)
    key = partial(Key, "coverage", world=name, images=images)
    for _ in range(repeats):
        scores, truth = world.draw(rng, aucs, file.most_seeds, labels)
        first, second = ([auc_parts(positive, row) for row in rows] for rows in scores)
        tally.covered(key(DELONG, seeds=1), methods.delong(first[0]), float(truth[0, 0]))
        difference = methods.delong_paired(first[0], second[0])[0]
        tally.covered(key(DELONG_PAIRED, seeds=1), difference, float(truth[0, 0] - truth[1, 0]))
        for seeds in file.seeds:
            found = methods.auc_both(first[:seeds])
            tally.covered(key(AUC_BOTH, seeds=seeds), found, aucs[0])
            found = methods.auc_both(first[:seeds], second[:seeds])
            tally.covered(key(AUC_BOTH_DIFFERENCE, seeds=seeds), found, aucs[0] - aucs[1])
