"""How much two copies of one model seem to differ here: no smaller difference means anything."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bench.measure.throughput import Subject, measure
from bench.records.schema import NoiseFloor
from bench.statistics.timings import Rounds, percentile, speed_ratio


def noise_floor(
    copies: Sequence[tuple[Subject, Subject]], rng: np.random.Generator
) -> NoiseFloor | None:
    """The floor from two copies' (throughput, latency) subjects; None where they cannot run."""
    subjects = list(itertools.chain(*copies))
    measure(subjects, rng=rng)
    if any(subject.failure for subject in subjects):
        return None
    (first, first_single), (second, second_single) = copies
    tails = [percentile(s.samples_s, 0.95) for s in (first_single, second_single)]
    return NoiseFloor(
        model=first.name,
        throughput=_widest(first.rounds_s, second.rounds_s),
        latency_p50=_widest(first_single.rounds_s, second_single.rounds_s),
        latency_p95=abs(tails[0] / tails[1] - 1) if tails[0] and tails[1] else None,
    )


def _widest(first: Rounds, second: Rounds) -> float:
    """How far from 1 the interval of the two copies' ratio reaches, or that of their medians."""
    shared = min(len(first), len(second))
    ratio = speed_ratio(first[:shared], second[:shared])
    medians = [float(np.median(list(itertools.chain(*rounds)))) for rounds in (first, second)]
    apart = abs(medians[0] / medians[1] - 1)  # as a table compares two rows
    return max(abs(ratio.low - 1), abs(ratio.high - 1), apart)
