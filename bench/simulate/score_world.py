"""Worlds of scores: the binormal model of an AUC, with seeds and images crossed.

The score that training ``s`` of model ``m`` gives image ``i`` is

    δ(m, s) · label(i) + √b · D(i) + √(a − b) · G(m, i) + √(1 − a) · E(m, s, i)

with independent standard normals, so that scores within a class have variance 1 and correlate by
``a`` between two trainings of a model and by ``b`` between two models. ``δ(m, s) = δ + τ U(m, s)``:
a training's AUC on all images is ``Φ(δ(m, s) / √2)``, and over seeds ``Φ(δ / √(2 + τ²))``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from bench.simulate.file import Scores
from bench.statistics.decisions import Floats, Ints


@dataclass(frozen=True)
class ScoreWorld:
    """A world with its parts worked out from what can be observed in it."""

    positive: float
    auc: float
    over_seeds: float  # τ
    between_seeds: float  # a
    between_models: float  # b

    @classmethod
    def of(cls, told: Scores) -> ScoreWorld:
        """The world in which one observes what ``told`` says; ``seed_sd`` to first order."""
        slope = float(stats.norm.pdf(special.ndtri(told.auc))) / math.sqrt(2)
        return cls(
            told.positive,
            told.auc,
            told.seed_sd / slope,
            told.between_seeds,
            told.between_models,
        )

    def labels(self, images: int) -> Ints:
        """``(N,)``, with the world's share of positives as near as whole images go."""
        positives = min(max(round(self.positive * images), 2), images - 2)
        return (np.arange(images) >= images - positives).astype(np.int64)

    def draw(
        self, rng: np.random.Generator, aucs: tuple[float, ...], seeds: int, labels: Ints
    ) -> tuple[Floats, Floats]:
        """One repeat of models whose AUCs over seeds and images are ``aucs``.

        Returns:
            Scores ``(M, S, N)`` and each training's AUC on all images, ``(M, S)``.
        """
        images, models = len(labels), len(aucs)
        centre = special.ndtri(aucs) * math.sqrt(2 + self.over_seeds**2)
        apart = centre[:, None] + self.over_seeds * rng.standard_normal((models, seeds))
        own = math.sqrt(self.between_seeds - self.between_models)
        scores = math.sqrt(1 - self.between_seeds) * rng.standard_normal((models, seeds, images))
        scores += math.sqrt(self.between_models) * rng.standard_normal(images)
        scores += own * rng.standard_normal((models, 1, images))
        scores += apart[..., None] * labels
        return scores, np.asarray(special.ndtr(apart / math.sqrt(2)))
