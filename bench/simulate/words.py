"""Verdicts whose truth is known: the same architecture twice, families of it, differences of a
known size on the given test images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from bench.simulate.file import SimulationFile
from bench.simulate.jobs import Job, chunks
from bench.simulate.methods import EQUIVALENT, FAMILY, VERDICT, Methods
from bench.simulate.rates import Key, Tally
from bench.simulate.world import DecisionWorld, Singles
from bench.statistics.decisions import Floats

_Run = Callable[
    [SimulationFile, Methods, str, int, int, np.random.Generator, Tally],
    None,
]
_WEIGHT = 0.0002  # seconds a verdict
DIFFERS = ("better", "worse")


def word_jobs(file: SimulationFile, methods: Methods) -> Iterator[Job]:
    """All of it."""
    yield from _jobs_of(file, methods, "same", 2, len(file.seeds), _same)
    models = max(file.family.comparisons) + 1
    yield from _jobs_of(file, methods, "family", models, len(file.seeds) * models, _family)
    gaps = len(file.difference.edges) + len(file.difference.differences)
    yield from _jobs_of(file, methods, "difference", 2, len(file.seeds) * gaps, _differences)


_SAID = {
    "same": "one architecture against itself",
    "family": "families of one architecture",
    "difference": "differences of known size",
}


def _jobs_of(
    file: SimulationFile, methods: Methods, part: str, models: int, verdicts: int, run: _Run
) -> Iterator[Job]:
    told = getattr(file, part)
    for name in told.worlds:
        for images in told.images:
            for repeats in chunks(told.repeats, models * file.most_seeds * images):
                yield Job(
                    f"{_SAID[part]}, {name}, {images} images",
                    repeats * verdicts * _WEIGHT,
                    partial(run, file, methods, name, images, repeats),
                )


def scores_by_seed(scores: Floats, seeds: int) -> dict[int, float]:
    """The first ``seeds`` of ``(S,)`` as verdicts take them."""
    return dict(enumerate(scores[:seeds].tolist()))


def accuracies(world: DecisionWorld, rng: np.random.Generator, base: Singles, seeds: int) -> Floats:
    """Of trainings on the given images, ``(R, M, S)``."""
    return np.asarray(world.trainings(rng, base, seeds)[0].mean(axis=-1))


def one_architecture(
    world: DecisionWorld, rng: np.random.Generator, repeats: int, models: int, images: int
) -> Singles:
    """Images as ``models`` copies of one architecture see them, ``(R, M, N)``."""
    base = world.images(rng, 1, world.classes(rng, repeats, images))
    return np.broadcast_to(base, (repeats, models, images))


def _same(
    file: SimulationFile,
    methods: Methods,
    name: str,
    images: int,
    repeats: int,
    rng: np.random.Generator,
    tally: Tally,
) -> None:
    world = DecisionWorld.of(file.world[name])
    base = one_architecture(world, rng, repeats, 2, images)
    for first, second in accuracies(world, rng, base, file.most_seeds):
        for seeds in file.seeds:
            found = methods.verdict(
                scores_by_seed(first, seeds), scores_by_seed(second, seeds), advise=False
            )
            tally.count(Key("difference", VERDICT, name, images, seeds), found.word in DIFFERS)


def _family(
    file: SimulationFile,
    methods: Methods,
    name: str,
    images: int,
    repeats: int,
    rng: np.random.Generator,
    tally: Tally,
) -> None:
    """The first of many trainings' groups against each other group."""
    world = DecisionWorld.of(file.world[name])
    base = one_architecture(world, rng, repeats, max(file.family.comparisons) + 1, images)
    for scores in accuracies(world, rng, base, file.most_seeds):
        for seeds in file.seeds:
            subject, *others = (scores_by_seed(row, seeds) for row in scores)
            alone = [methods.verdict(subject, other, advise=False) for other in others]
            for size in file.family.comparisons:
                words = {found.word for found in methods.family(alone[:size], advise=False)}
                key = Key("difference", FAMILY, name, images, seeds, f"{size} comparisons")
                tally.count(key, bool(words & set(DIFFERS)))


def _differences(
    file: SimulationFile,
    methods: Methods,
    name: str,
    images: int,
    repeats: int,
    rng: np.random.Generator,
    tally: Tally,
) -> None:
    """Two architectures that see the images alike, one better by just so much on just these."""
    world, told = DecisionWorld.of(file.world[name]), file.difference
    for gap in sorted({*told.edges, *told.differences}):
        base = world.images(rng, 1, world.classes(rng, repeats, images))
        lower = world.shift_on_images(base, -gap).astype(np.float32)
        both = np.concatenate([base, base + lower[:, None, None]], axis=1)
        scores = accuracies(world, rng, both, file.most_seeds)
        for seeds in file.seeds:
            power = Key("power", VERDICT, name, images, seeds, f"{gap:g}")
            edge = Key("equivalent", EQUIVALENT, name, images, seeds, f"{gap:g}")
            if gap in told.differences:
                tally.spread(power, (scores[:, 0] - scores[:, 1]).var(axis=1, ddof=1))
            for first, second in scores:
                a, b = scores_by_seed(first, seeds), scores_by_seed(second, seeds)
                if gap in told.differences:
                    word = methods.verdict(a, b, region=0.0, advise=False).word
                    tally.count(power, word == "better")
                if gap in told.edges:
                    word = methods.verdict(a, b, region=gap, advise=False).word
                    tally.count(edge, word == "equivalent")
