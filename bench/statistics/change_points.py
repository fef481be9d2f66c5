"""Where the level of a series changes: penalised least squares, solved exactly by PELT.

Killick, Fearnhead and Eckley 2012 (J Am Stat Assoc 107:1590), as ruptures has it (Truong, Oudre and
Vayatis 2020, Signal Processing 167:107299).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LEAST = 8  # values below which a noisy series shows no change that could be told from chance
_SEGMENT = 3  # values of a level, at least
_PENALTY = 6.0  # times log n, of standardised values: a false change in 3 % of flat series of 8
_TRIMMED = 0.1  # share of the squared differences, the largest, that may be steps
_OF_TRIMMED = 1.14  # σ over what is left of it without those, of normal values


def change_points(values: Sequence[float]) -> list[int]:
    """Places at which a new level begins, in order.

    σ is taken from successive differences (von Neumann 1941), the largest tenth left out, so that
    steps move it little.
    """
    series = np.asarray(values, dtype=np.float64)
    if len(series) < LEAST:
        return []
    squares = np.sort(np.diff(series) ** 2)
    kept = squares[: -max(1, int(_TRIMMED * len(squares)))]
    sigma = _OF_TRIMMED * math.sqrt(float(kept.mean()) / 2)
    if sigma == 0:  # nine values of ten are equal: any other is a change
        return changes(values)
    import ruptures

    fitted = ruptures.Pelt(model="l2", min_size=_SEGMENT, jump=1).fit(series / sigma)
    found: list[int] = fitted.predict(pen=_PENALTY * math.log(len(series)))
    return found[:-1]  # the last is the end


def changes(values: Sequence[float]) -> list[int]:
    """The same for numbers without noise: wherever one is not that before it."""
    return [i for i in range(1, len(values)) if values[i] != values[i - 1]]
