"""Worlds of decisions: trainings × images with a known truth.

Whether training ``s`` of model ``m`` decides image ``i`` rightly is the sign of

    z = t(class) + √d · D(i) + √g · G(m, i) + √u · U(m, s) + √e · E(m, s, i),   d + g + u + e = 1

with independent standard normals: the image's difficulty, which all models share; what this model
in particular makes of it; how good the training is as a whole; and chance, in which two trainings
differ. Given the first four a decision is a Bernoulli draw. (A probit model with crossed effects.)

R repeats, M models, S seeds, N images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from bench.errors import InputError
from bench.simulate.file import World
from bench.statistics.decisions import Floats, Ints

Singles = NDArray[np.float32]


@dataclass(frozen=True)
class DecisionWorld:
    """A world with its parts of variance worked out from what can be observed in it."""

    shares: Floats
    thresholds: Floats  # t, by class
    difficulty: float  # d
    by_model: float  # g
    of_seed: float  # u

    @classmethod
    def of(cls, told: World) -> DecisionWorld:
        """The world in which one observes what ``told`` says; ``seed_sd`` to first order.

        Raises:
            InputError: trainings would differ by more than chance leaves room for.
        """
        shares, thresholds = np.array(told.class_shares), special.ndtri(told.class_accuracy)
        same = _shared_variance(shares, thresholds, told.between_seeds)
        difficulty = _shared_variance(shares, thresholds, told.between_models)
        # a training's accuracy moves by about Σ share · φ(t) · √u · U
        slope = float(shares @ stats.norm.pdf(thresholds))
        of_seed = (told.seed_sd / slope) ** 2
        if of_seed >= 1 - same:
            raise InputError(
                f"trainings that differ by {told.seed_sd:g} in accuracy differ on more than "
                f"{told.between_seeds:g} of the images",
                remedy="lower seed_sd or raise between_seeds",
                key="seed_sd",
            )
        return cls(shares, thresholds, difficulty, same - difficulty, of_seed)

    @property
    def chance(self) -> float:
        return 1 - self.difficulty - self.by_model - self.of_seed

    def classes(self, rng: np.random.Generator, repeats: int, images: int) -> Ints:
        """The class of each image, ``(R, N)``."""
        return rng.choice(len(self.shares), size=(repeats, images), p=self.shares)

    def accuracy(self, shift: float = 0.0) -> float:
        """Over all seeds and all images."""
        return float(self.shares @ special.ndtr(self.thresholds + shift))

    def shift_for(self, gap: float) -> float:
        """The shift of ``z`` that makes a model better by ``gap`` over all seeds and images."""
        wanted = self.accuracy() + gap
        return float(optimize.brentq(lambda x: self.accuracy(x) - wanted, -8.0, 8.0))

    def images(self, rng: np.random.Generator, models: int, classes: Ints) -> Singles:
        """The part of ``z`` that test images decide, ``(R, M, N)``."""
        repeats, images = classes.shape
        shared = rng.standard_normal((repeats, 1, images), dtype=np.float32)
        own = rng.standard_normal((repeats, models, images), dtype=np.float32)
        z = math.sqrt(self.difficulty) * shared + math.sqrt(self.by_model) * own
        return np.asarray(z + self.thresholds[classes][:, None], dtype=np.float32)

    def on_images(self, base: Singles) -> Floats:
        """Accuracy on the given images over all seeds, ``(R, M)``, of what :meth:`images` gave."""
        return np.asarray(special.ndtr(base / self._of_trainings).mean(axis=-1, dtype=np.float64))

    def shift_on_images(self, base: Singles, gap: float) -> Floats:
        """The shift, ``(R,)``, that adds ``gap`` to :meth:`on_images` of ``base`` ``(R, 1, N)``."""
        z, wanted = base[:, 0] / self._of_trainings, self.on_images(base)[:, 0] + gap
        low, high = np.full(len(z), -8.0), np.full(len(z), 8.0)
        for _ in range(32):  # to 1e-8; bisection cannot fail
            middle = (low + high) / 2
            under = special.ndtr(z + middle[:, None]).mean(axis=1) < wanted
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        return np.asarray((low + high) / 2 * self._of_trainings)

    def trainings(
        self, rng: np.random.Generator, base: Singles, seeds: int
    ) -> tuple[NDArray[np.bool_], Singles]:
        """Decisions ``(R, M, S, N)`` and how good each training is, ``√u · U``, ``(R, M, S)``."""
        repeats, models, images = base.shape
        good = math.sqrt(self.of_seed) * rng.standard_normal(
            (repeats, models, seeds), dtype=np.float32
        )
        z = rng.standard_normal((repeats, models, seeds, images), dtype=np.float32)
        z *= np.float32(math.sqrt(self.chance))
        z += base[:, :, None, :]
        z += good[..., None]
        return z > 0, good

    def of_training(self, good: Singles, shift: float = 0.0) -> Floats:
        """The accuracy of given trainings on all images of each class: that of ``good``, and C."""
        z = self.thresholds + shift + good[..., None]
        return np.asarray(special.ndtr(z / math.sqrt(1 - self.of_seed)), dtype=np.float64)

    def mix(self, classes: Ints) -> Floats:
        """The share of each class in each repeat, ``(R, C)``."""
        strata = np.arange(len(self.shares))
        return np.asarray((classes[..., None] == strata).mean(axis=1))

    @property
    def _of_trainings(self) -> float:
        """Standard deviation of ``z`` over trainings on a given image."""
        return math.sqrt(self.of_seed + self.chance)


def _shared_variance(shares: Floats, thresholds: Floats, differ: float) -> float:
    """What two decisions must share so that they differ on a share ``differ`` of the images."""

    def excess(shared: float) -> float:
        return disagreement(shares, thresholds, shared) - differ

    return float(optimize.brentq(excess, 0.0, 1.0 - 1e-9))


def disagreement(shares: Floats, thresholds: Floats, shared: float) -> float:
    """How often two decisions differ whose ``z`` correlate by ``shared`` (Owen's T function).

    For one threshold ``t`` both are right with ``Φ(t) − 2 T(t, √((1 − ρ) / (1 + ρ)))``
    (Owen 1956, Ann Math Stat 27:1075).
    """
    owen = special.owens_t(thresholds, math.sqrt((1 - shared) / (1 + shared)))
    return float(4 * shares @ owen)
