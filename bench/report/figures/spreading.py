"""Small labels beside their points, none on another; the same input gives the same places.

All lengths are in points (1/72 inch). The nearest free place wins, points in their given order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ANGLES = tuple(
    math.tau * turn / 16 for turn in (2, 6, 14, 10, 0, 8, 4, 12, 1, 3, 5, 7, 9, 11, 13, 15)
)
_STEP = 2.0  # between the rings of places that are tried
_CROSSED = 9.0  # what crossing a bar or a line costs, as distance
_TOUCHED = 1000.0  # lying on another label or marker: only where nothing else is left


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> Box:
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )

    def crossed_by(self, start: tuple[float, float], end: tuple[float, float]) -> bool:
        """Whether a straight line passes through (Liang & Barsky 1984)."""
        low, high = 0.0, 1.0
        for p0, p1, near, far in (
            (start[0], end[0], self.left, self.right),
            (start[1], end[1], self.bottom, self.top),
        ):
            if p0 == p1:
                if not near < p0 < far:
                    return False
                continue
            first, last = sorted(((near - p0) / (p1 - p0), (far - p0) / (p1 - p0)))
            low, high = max(low, first), min(high, last)
        return low < high


def spread(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    markers: Sequence[Box],
    bars: Sequence[Box],
    within: Box,
) -> list[Box]:
    """A box for each label.

    Args:
        points: what each label belongs to.
        sizes: width and height of each label.
        markers: of the same points, in the same order; no label lies on one.
        bars: what is better not lain on.
        within: no box leaves it.
    """
    placed: list[Box] = []
    for index, (point, size) in enumerate(zip(points, sizes, strict=True)):
        others = [box for place, box in enumerate(markers) if place != index]
        best, least = None, math.inf
        for distance, box in _places(point, size, markers[index], within):
            if distance >= least:
                break  # every further place is farther
            cost = distance
            cost += _TOUCHED * sum(box.overlaps(other) for other in [*placed, *markers])
            if cost >= least:
                continue  # crossings only add to it
            cost += _CROSSED * sum(box.overlaps(bar) for bar in bars)
            cost += _CROSSED * sum(o.crossed_by(point, box.centre) for o in [*placed, *others])
            if cost < least:
                best, least = box, cost
        placed.append(best or Box.around(*point, *size))
    return placed


def _places(
    point: tuple[float, float], size: tuple[float, float], marker: Box, within: Box
) -> Iterator[tuple[float, Box]]:
    """Free places by growing distance, ring by ring, as far as the frame reaches."""
    reach = math.hypot(within.right - within.left, within.top - within.bottom)
    start = (marker.right - marker.left) / 2 + 1.0
    for ring in range(int(reach / _STEP)):
        gap = start + ring * _STEP
        for angle in _ANGLES:
            across, up = math.cos(angle), math.sin(angle)
            x = point[0] + across * (gap + size[0] / 2)
            y = point[1] + up * (gap + size[1] / 2)
            box = Box.around(x, y, *size)
            if within.holds(box):
                yield gap - start, box


def stacked(wanted: Sequence[float], height: float, low: float, high: float) -> list[float]:
    """Centres of labels above one another, each as near to where it is wanted as the rest allow.

    Pools of labels that would touch move as one, to the mean of what they want; where all
    together do not fit between ``low`` and ``high`` they are drawn closer, evenly.
    """
    if not wanted:
        return []
    step = min(height, (high - low) / len(wanted))
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    pools: list[tuple[list[int], float]] = []
    for index in order:
        members, start = [index], _kept(wanted[index] - step / 2, step, low, high)
        while pools and pools[-1][1] + step * len(pools[-1][0]) > start + 1e-9:
            members = pools.pop()[0] + members
            mean = sum(wanted[m] - step * (0.5 + k) for k, m in enumerate(members)) / len(members)
            start = _kept(mean, step * len(members), low, high)
        pools.append((members, start))
    centres = [0.0] * len(wanted)
    for members, start in pools:
        for place, index in enumerate(members):
            centres[index] = start + step * (place + 0.5)
    return centres


def _kept(start: float, length: float, low: float, high: float) -> float:
    return max(low, min(start, high - length))
