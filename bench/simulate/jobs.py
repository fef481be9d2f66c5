"""A simulation is a list of jobs: a few repeats each, so that progress shows and memory is small.

The draws of a job depend on the file's seed and on the job's place in the list alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.simulate.rates import Tally

_VALUES = 12_000_000  # drawn at once at most: 48 MB as float32
_REPEATS = 100  # a job has at most


@dataclass(frozen=True)
class Job:
    """Some repeats of one part.

    Attributes:
        weight: about how long it takes, in the unit of the other jobs.
        run: draws and counts.
    """

    doing: str
    weight: float
    run: Callable[[np.random.Generator, Tally], None]


def chunks(repeats: int, values: int) -> Iterator[int]:
    """``repeats`` in portions of which each draws few enough of its ``values`` a repeat."""
    most = max(1, min(_REPEATS, _VALUES // values))
    while repeats > 0:
        yield min(most, repeats)
        repeats -= most
