"""How often something happened in a simulation, how sure that is, and whether it may."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from bench.records.base import Stored
from bench.simulate.file import Limits
from bench.statistics.intervals import IntervalEstimate

Kind = Literal["coverage", "difference", "equivalent", "power", "practice"]
"""An interval that holds the truth; a difference claimed where there is none; equivalence claimed
at the edge of the region; a true difference found; what is often done instead."""

Whole = Annotated[int, Field(ge=0)]


class Rate(Stored):
    """How often one method did one thing in one world.

    Attributes:
        setting: what else decides it, such as the size of the true difference.
        times: repeats in which it happened.
        of: repeats in which the method gave an answer.
        blank: repeats in which it gave none, and said why.
        predicted: the rate that theory expects, where one is compared with.
    """

    kind: Kind
    method: str
    world: str
    images: Whole
    seeds: Whole
    setting: str = ""
    times: Whole
    of: Whole
    blank: Whole = 0
    predicted: float | None = None

    @property
    def value(self) -> float | None:
        return self.times / self.of if self.of else None

    @property
    def error(self) -> float:
        """Monte Carlo standard error, of a rate moved a little off 0 and 1 (Agresti & Coull 1998),
        so that a few repeats without a single event are not taken for certainty."""
        near = (self.times + 2) / (self.of + 4)
        return math.sqrt(near * (1 - near) / (self.of + 4))


def held(rate: Rate, limits: Limits) -> bool | None:
    """Whether the method kept to its limit; None where there is none to keep to.

    A method that never gave an answer claimed nothing: it misses no limit of false claims, but
    there is no coverage to judge.
    """
    if rate.value is None or rate.kind == "practice":
        return None
    grace = limits.errors * rate.error
    if rate.kind == "coverage":
        low, high = limits.coverage
        grace = limits.coverage_errors * rate.error
        return low - grace <= rate.value <= high + grace
    if rate.kind == "power":
        assert rate.predicted is not None
        return abs(rate.value - rate.predicted) <= limits.power_within + grace
    return rate.value <= limits.false_at_most + grace


@dataclass(frozen=True)
class Key:
    """What tells two rates apart."""

    kind: Kind
    method: str
    world: str
    images: int
    seeds: int
    setting: str = ""


@dataclass
class _Count:
    times: int = 0
    of: int = 0
    blank: int = 0
    variances: list[float] = field(default_factory=list)


class Tally:
    """Counts events while repeats are drawn; rates come out in the order of first counting."""

    def __init__(self) -> None:
        self._counts: dict[Key, _Count] = {}

    def count(self, key: Key, happened: bool | None) -> None:
        """One repeat; None: the method gave no answer."""
        found = self._counts.setdefault(key, _Count())
        found.blank += happened is None
        found.of += happened is not None
        found.times += bool(happened)

    def covered(self, key: Key, interval: IntervalEstimate, truth: float) -> None:
        """Whether ``interval`` holds ``truth``; one without bounds is a blank."""
        if interval.low is None or interval.high is None:
            self.count(key, None)
        else:
            self.count(key, bool(interval.low <= truth <= interval.high))

    def spread(self, key: Key, variances: Sequence[float] | np.ndarray) -> None:
        """Variances over seeds of the differences seen in some repeats."""
        found = self._counts.setdefault(key, _Count())
        found.variances += [float(variance) for variance in variances]

    def spread_of(self, key: Key) -> float:
        """Root of the mean of those variances."""
        return math.sqrt(float(np.mean(self._counts[key].variances)))

    @property
    def keys(self) -> list[Key]:
        """In the order of first counting."""
        return list(self._counts)

    def rate(self, key: Key, predicted: float | None = None) -> Rate:
        found = self._counts[key]
        return Rate(
            kind=key.kind,
            method=key.method,
            world=key.world,
            images=key.images,
            seeds=key.seeds,
            setting=key.setting,
            times=found.times,
            of=found.of,
            blank=found.blank,
            predicted=predicted,
        )
