"""How time grows with pixels: exponents between image sizes, all timed in turn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bench.details import Form
from bench.errors import one_line
from bench.measure.timing import Lane, Progress, run_rounds
from bench.race.contenders import model_step
from bench.race.file import Contender, RaceFile, Scaling
from bench.race.record import Exponent, ScaledContender, ScalingResult, Verdict
from bench.statistics.timings import speed_ratio

SEED = 0
FORM: Form = "fused_channels_last"


def run_scaling(spec: Scaling, file: RaceFile, on_progress: Progress) -> ScalingResult:
    """Time every contender at every size, in the same rounds, and fit the exponents.

    A contender that fails at a size has no exponent over it; the others go on.
    """
    rng = np.random.default_rng(SEED)
    sizes = sorted({size for span in spec.spans for size in span})
    timed: list[ScaledContender] = []
    lanes: list[Lane] = []
    for contender in spec.contenders:
        scaled = ScaledContender(label=contender.label, form=FORM, rounds_s={}, failures={})
        timed.append(scaled)
        for size in sizes:
            on_progress(f"{spec.name}: {contender.label} at {size} px", 0.0)
            lane = _lane(contender, spec, size, file.device, scaled)
            if lane is not None:
                lanes.append(lane)
    run_rounds(
        lanes,
        rounds=file.rounds,
        seconds_per_lane=file.seconds_per_contender / len(sizes),
        rng=rng,
        on_visit=lambda lane, done: on_progress(f"{spec.name}: {lane.label}", done),
    )
    exponents = [
        _exponent(contender, scaled, small, large)
        for contender, scaled in zip(spec.contenders, timed, strict=True)
        for small, large in spec.spans
        if str(small) in scaled.rounds_s and str(large) in scaled.rounds_s
    ]
    return ScalingResult(spec=spec, contenders=timed, exponents=exponents)


def _lane(
    contender: Contender, spec: Scaling, size: int, device: str, scaled: ScaledContender
) -> Lane | None:
    try:
        step = model_step(contender, spec.at(size), FORM, device)
        step()
    except Exception as error:  # too little memory at one size leaves the others
        scaled.failures[str(size)] = one_line(error)
        return None
    rounds: list[list[float]] = []
    scaled.rounds_s[str(size)] = rounds
    return Lane(f"{contender.label} at {size} px", step, rounds)


def _exponent(
    contender: Contender,
    scaled: ScaledContender,
    small: int,
    large: int,
) -> Exponent:
    """log of the ratio of times over log of the ratio of pixels."""
    ratio = speed_ratio(_passes(scaled, small), _passes(scaled, large))
    pixels = 2 * math.log(large / small)
    value, low, high = (math.log(r) / pixels for r in (ratio.value, ratio.low, ratio.high))
    verdict: Verdict = "no floor"
    if contender.exponent_at_most is not None:
        ceiling = contender.exponent_at_most
        verdict = "reached" if high <= ceiling else "missed" if low > ceiling else "within noise"
    return Exponent(
        label=contender.label,
        small=small,
        large=large,
        exponent=value,
        low=low,
        high=high,
        at_most=contender.exponent_at_most,
        verdict=verdict,
    )


def _passes(scaled: ScaledContender, size: int) -> Sequence[Sequence[float]]:
    return scaled.rounds_s[str(size)]
