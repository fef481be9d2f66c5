"""Holm's step-down correction over a declared family (Holm 1979, Scand J Stat 6:65)."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p values in the same order: the family's chance of one false claim stays at the
    level they are compared with.

    A None was not tested and can claim nothing; it stays None and does not count.
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    running = 0.0
    for rank, (p, place) in enumerate(tested):
        running = max(running, min(1.0, (len(tested) - rank) * p))
        adjusted[place] = running
    return adjusted
