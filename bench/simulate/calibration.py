"""What finished runs say of the spreads that a world of decisions has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bench.statistics.decisions import Floats, Ints


@dataclass(frozen=True)
class Observed:
    """Of one data set's models, each trained with several seeds; shares of the images.

    Attributes:
        class_accuracy: by class, the mean over a model's seeds, for each model.
        between_seeds: mean over pairs of seeds of the images two trainings differ on, by model.
        between_models: the same over pairs of trainings of two models, by pair of models.
        seed_sd: standard deviation over seeds of the accuracy on these images, by model.
    """

    class_accuracy: dict[str, list[float]]
    between_seeds: dict[str, float]
    between_models: dict[tuple[str, str], float]
    seed_sd: dict[str, float]


def observe(right: Mapping[str, Sequence[Floats]], labels: Ints) -> Observed:
    """From each model's decisions, one ``(N,)`` of 0 and 1 a seed."""
    classes = np.unique(labels)
    return Observed(
        class_accuracy={
            name: [float(np.mean([r[labels == c].mean() for r in runs])) for c in classes]
            for name, runs in right.items()
        },
        between_seeds={name: _differ(list(combinations(runs, 2))) for name, runs in right.items()},
        between_models={
            (one, other): _differ([(a, b) for a in right[one] for b in right[other]])
            for one, other in combinations(right, 2)
        },
        seed_sd={
            name: float(np.std([r.mean() for r in runs], ddof=1)) for name, runs in right.items()
        },
    )


def of_training(observed: Observed, images: int) -> float:
    """The sd over seeds of accuracy on *all* images, pooled over models; 0 where chance on these
    few images explains all that is seen.

    On given images chance alone gives a variance of about ``between_seeds / (2 N)``.
    """
    left = [
        sd**2 - observed.between_seeds[name] / (2 * images) for name, sd in observed.seed_sd.items()
    ]
    return math.sqrt(max(0.0, float(np.mean(left))))


def correlation(trainings: Sequence[tuple[Floats, Floats]], labels: Ints) -> float:
    """Mean correlation, within a class, of the scores ``(N,)`` of each pair of trainings."""
    return float(
        np.mean(
            [
                np.corrcoef(one[labels == c], other[labels == c])[0, 1]
                for one, other in trainings
                for c in np.unique(labels)
            ]
        )
    )


def _differ(pairs: list[tuple[Floats, Floats]]) -> float:
    return float(np.mean([np.mean(a != b) for a, b in pairs]))
