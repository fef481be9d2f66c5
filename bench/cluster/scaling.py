"""How a suite would scale: its runs dealt out to 1, 2, 4, … machines, the longest first.

Each run goes to whichever machine is free first, as a Ray cluster or a job array does it (list
scheduling; see ``bench.cluster.order`` for its bound). Starting workers and reading data are taken
as free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.execution.estimate import shared_out

MACHINES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
STILL_SCALES = 0.8
"""Share of the machines' time in use below which more of them are mostly idle."""


@dataclass(frozen=True)
class Point:
    """One number of machines.

    Attributes:
        utilisation: share of the machines' time that goes into runs.
    """

    machines: int
    makespan_s: float
    utilisation: float


def scaling(seconds: Sequence[float], machines: Sequence[int] = MACHINES) -> list[Point]:
    """Makespan and utilisation of runs of these lengths on each number of machines.

    >>> [(p.makespan_s, p.utilisation) for p in scaling([3.0, 2.0, 2.0, 1.0], (1, 2, 8))]
    [(8.0, 1.0), (4.0, 1.0), (3.0, 0.3333333333333333)]
    """
    longest_first, total = sorted(seconds, reverse=True), sum(seconds)
    points = []
    for count in machines:
        makespan = shared_out([], longest_first, count)
        points.append(Point(count, makespan, total / (count * makespan)))
    return points


def stops_scaling(points: Sequence[Point]) -> Point | None:
    """The first number of machines of which a fifth or more stand idle; None if there is none."""
    return next((point for point in points if point.utilisation < STILL_SCALES), None)
