"""A difference below the noise floor is none, however tight its interval.

Two copies of one network lie elsewhere in memory, and that alone makes one of them faster: on a
quiet machine an interval can be tighter than this and exclude 1 for identical copies, rightly and
to no purpose.
"""

from __future__ import annotations

from bench.statistics.timings import Estimate


def widened(ratio: Estimate, floor: float) -> Estimate:
    """The ratio's interval with the floor added at both ends, as a factor ``1 + floor``.

    Raises:
        ValueError: a negative floor.
    """
    if floor < 0:
        raise ValueError(f"a floor is a share, 0 or more, got {floor:g}")
    return Estimate(ratio.value, ratio.low / (1 + floor), ratio.high * (1 + floor))
