"""How long a step may take of the time that is left."""

from __future__ import annotations

from collections.abc import Sequence

from bench.gpu.file import Step


def limit_s(waiting: Sequence[Step], left_s: float) -> float | None:
    """Seconds for the first of the ``waiting`` steps; None: less is left than it needs at least.

    Each gets its share of what is left beside those after it, so that time a step does not use
    goes to the later ones; the first steps, which are worth most, never get less than their least.
    """
    first = waiting[0]
    if left_s < first.least_s:
        return None
    fair = left_s * first.share / sum(step.share for step in waiting)
    return min(left_s, max(first.least_s, fair))
