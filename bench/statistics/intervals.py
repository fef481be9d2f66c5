"""Intervals whose name says what they cover."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A two-sided interval."""

    low: float
    high: float


Covers = Literal["images", "seeds", "seeds and images", "data sets"]


@dataclass(frozen=True)
class IntervalEstimate:
    """A value with its two-sided interval, and what was drawn anew in thought to get it.

    Attributes:
        value: None where it is undefined.
        low, high: None where no honest interval exists; ``blank`` then says why.
        covers: the only thing whose choice the interval speaks of.
    """

    value: float | None
    low: float | None
    high: float | None
    covers: Covers
    blank: str | None = None
    level: float = LEVEL

    def mirrored(self) -> IntervalEstimate:
        """The same with the sign of a difference turned round."""
        low, high = _negative(self.high), _negative(self.low)
        return IntervalEstimate(
            _negative(self.value), low, high, self.covers, self.blank, self.level
        )


def _negative(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


Z_95 = 1.959963984540054  # 97.5 % quantile of the standard normal


def wilson_over_images(correct: int, images: int, z: float = Z_95) -> Interval:
    """Wilson's score interval for the accuracy of one given training (Wilson 1927).

    It covers the choice of test images and nothing else: another seed gives another training.

    Raises:
        ValueError: ``images`` is not positive or ``correct`` lies outside ``0…images``.
    """
    if images <= 0 or not 0 <= correct <= images:
        raise ValueError(f"expected 0 <= correct <= images and images > 0, got {correct}, {images}")
    p = correct / images
    scale = 1.0 + z * z / images
    centre = (p + z * z / (2 * images)) / scale
    half = z / scale * math.sqrt(p * (1 - p) / images + z * z / (4 * images * images))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))
