"""How a model's time and memory grow: over image sizes at batch 1, over batches at one size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.details import ModelDetail, ScalingSpec
from bench.errors import one_line
from bench.measure.building import batches, built, placed, release, true_float32
from bench.measure.forms import laid_out
from bench.measure.load import LoadWatch
from bench.measure.memory import probe
from bench.measure.steps import inference_step
from bench.measure.timing import Lane, Progress, burst, run_rounds, threads
from bench.records.details import ScaledPoint, ScalingResult

ROUNDS = 6


def measure_scaling(
    spec: ScalingSpec, *, seconds_per_point: float, seed: int, on_progress: Progress
) -> ScalingResult:
    """Each series ends at its first failure: out of memory, a pass too long, a size refused.

    Small images that the model refuses are failures too, but larger ones are still tried.
    """
    watch, rng = LoadWatch(), np.random.default_rng(seed)
    sizes = [(size, 1) for size in sorted(spec.image_sizes)]
    counts = [(spec.image_size, batch) for batch in sorted(spec.batch_sizes)]
    with threads(spec.threads), true_float32():
        over_sizes = _series(
            spec,
            sizes,
            seconds_per_point,
            seed,
            rng,
            lambda what, done: on_progress(what, done / 2),
        )
        over_batches = _series(
            spec,
            counts,
            seconds_per_point,
            seed,
            rng,
            lambda what, done: on_progress(what, 0.5 + done / 2),
        )
    noisy = watch.stop().noisy  # the processes below are our own
    return ScalingResult(
        over_sizes=_with_peaks(spec, over_sizes, seed),
        over_batches=over_batches,
        seconds_per_point=seconds_per_point,
        noisy=noisy,
    )


def _series(
    spec: ScalingSpec,
    places: Sequence[tuple[int, int]],
    seconds: float,
    seed: int,
    rng: np.random.Generator,
    on_progress: Progress,
) -> list[ScaledPoint]:
    lanes: dict[tuple[int, int], Lane] = {}
    failures: dict[tuple[int, int], str] = {}
    ended: str | None = None
    for size, batch in places:
        label = f"{spec.model.name} at {size} px, batch {batch}"
        on_progress(label, 0.5 * len(lanes) / len(places))
        if ended is not None:
            failures[size, batch] = ended
            continue
        try:
            lane = _lane(spec, size, batch, label, seed, rng)
            lane.step()
            pass_s = burst(lane.step, 0.0)[0]
        except Exception as error:  # whatever a model raises at a size is that point's result
            failures[size, batch] = one_line(error)
            release(spec.device)
            if lanes:  # what worked for less fails for more: memory, or the model's own limit
                ended = f"not tried: {failures[size, batch]}"
            continue
        if pass_s > spec.longest_pass_s:
            failures[size, batch] = f"a pass takes {pass_s:.1f} s, too long to be repeated"
            ended = f"not tried: {batch} at {size} px takes too long already"
            del lane
            continue
        lanes[size, batch] = lane
    run_rounds(
        list(lanes.values()),
        rounds=ROUNDS,
        seconds_per_lane=seconds,
        rng=rng,
        on_visit=lambda lane, done: on_progress(lane.label, 0.5 + 0.5 * done),
    )
    return [
        ScaledPoint(
            image_size=size,
            batch_size=batch,
            failure=failures.get((size, batch)) or _late(lanes, size, batch),
            rounds_s=[] if _late(lanes, size, batch) else _rounds(lanes, size, batch),
        )
        for size, batch in places
    ]


def _late(lanes: dict[tuple[int, int], Lane], size: int, batch: int) -> str | None:
    """What the point raised while it was timed."""
    lane = lanes.get((size, batch))
    return lane.failure if lane else None


def _rounds(lanes: dict[tuple[int, int], Lane], size: int, batch: int) -> list[list[float]]:
    lane = lanes.get((size, batch))
    return lane.rounds_s if lane else []


def _lane(
    spec: ModelDetail, size: int, batch: int, label: str, seed: int, rng: np.random.Generator
) -> Lane:
    fresh = built(spec, seed=seed, image_size=size)
    model = placed(fresh, spec.device, channels_last=True).eval()
    drawn = batches(spec, batch, rng=rng, image_size=size)
    images = [laid_out(drawn[0], "channels_last")]
    return Lane(label, inference_step(model, images, "float32"))


def _with_peaks(spec: ScalingSpec, points: list[ScaledPoint], seed: int) -> list[ScaledPoint]:
    timed = [point.image_size for point in points if point.failure is None]
    peaks: dict[int, int] = {}
    while timed and not peaks:
        release(spec.device)
        try:
            found = probe(spec, timed, 1, seed=seed)["points"]
        except (MemoryError, RuntimeError):
            timed = timed[:-1]  # without the largest, which needs most
        else:
            peaks = dict(zip(timed, (point["peak_bytes"] for point in found), strict=True))
    return [p.model_copy(update={"peak_bytes": peaks.get(p.image_size)}) for p in points]
