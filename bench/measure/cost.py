"""Cost of a set of models: size, MACs, throughput and latency, each model one result or failure."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from bench.details import Form
from bench.errors import InputError, one_line
from bench.measure.building import batches, built, placed, release, true_float32
from bench.measure.energy import EnergyMeter, energy_meter
from bench.measure.forms import lacks, laid_out
from bench.measure.load import Load, LoadWatch
from bench.measure.macs import MacCount, count_macs
from bench.measure.noise_floor import noise_floor
from bench.measure.parameters import ParameterCount, count_parameters
from bench.measure.profile import Profile, profile_pass
from bench.measure.state import disturbed, machine_state
from bench.measure.throughput import Subject, measure
from bench.measure.timing import Progress
from bench.records.base import Stored
from bench.records.schema import CostResult, MachineState, NoiseFloor
from bench.specs import CostSpec
from bench.statistics.timings import median_interval, percentile, samples_for

MOST_REPEATS = 1  # of a measurement that a loaded machine disturbed
_PREPARING = 0.3  # of the progress; the rest is timing


class CostFailure(Stored):
    """A model that could not be measured as asked; its batch size is never changed to fit."""

    status: Literal["failed", "out-of-memory"]
    reason: str


@dataclass(frozen=True)
class _Prepared:
    """A model that was built and counted, ready to be timed."""

    parameters: ParameterCount
    macs: MacCount
    profile: Profile
    build_s: float
    throughput: Subject
    latency: Subject


@dataclass(frozen=True)
class _Circumstances:
    """What holds for all models that were timed together."""

    floor: NoiseFloor | None
    load: Load
    repeats: int
    before: MachineState
    after: MachineState
    meter: EnergyMeter | None


def measure_costs(
    requests: Sequence[CostSpec],
    *,
    seconds_per_model: float,
    seed: int,
    on_progress: Progress = lambda doing, done: None,
) -> list[CostResult | CostFailure]:
    """Measure all requests in one process, timed in turn; results in the order of the requests.

    The first model is timed beside a copy of itself first: that is the noise floor. What a loaded
    machine disturbed is timed again, once, and marked if that was no quieter.

    Args:
        seconds_per_model: for timing, half at the batch size asked for and half at batch 1; a
            model whose passes are long takes longer.
        seed: decides weights, inputs and the order of the rounds.

    Raises:
        InputError: a device that this machine lacks. Everything else is one request's failure.
    """
    for request in requests:
        _check_device(request.device)
    with true_float32():
        found = _measure(requests, seconds_per_model, seed, on_progress)
    release("cuda" if torch.cuda.is_available() else "cpu")
    return found


def _measure(
    requests: Sequence[CostSpec], seconds_per_model: float, seed: int, on_progress: Progress
) -> list[CostResult | CostFailure]:
    rng = np.random.default_rng(seed)
    meter = energy_meter(requests[0].device) if requests else None
    prepared: list[_Prepared | CostFailure] = []
    floor = None
    for number, request in enumerate(requests):
        on_progress(f"counting {request.model.name}", _PREPARING * number / len(requests))
        try:
            prepared.append(_prepare(request, seconds_per_model / 2, seed, rng, meter))
        except Exception as error:  # a model's fault is its own row
            prepared.append(_failure(error))
    ready = [one for one in prepared if isinstance(one, _Prepared)]
    if ready:
        on_progress("timing a copy of the first model beside it", _PREPARING)
        request = requests[prepared.index(ready[0])]
        with contextlib.suppress(Exception):  # no floor, but no model's result is lost for it
            copies = [_copy(request, seconds_per_model / 2, seed, rng) for _ in range(2)]
            floor = noise_floor(copies, rng)
            del copies
    subjects = [subject for one in ready for subject in (one.throughput, one.latency)]
    device = requests[0].device if requests else "cpu"
    for repeat in range(1 + MOST_REPEATS):
        before, watch = machine_state(device), LoadWatch()
        for subject in subjects:
            subject.start_again()
        measure(
            subjects,
            rng=rng,
            on_visit=_Telling(on_progress, subjects, again=bool(repeat)),
        )
        after = machine_state(device)  # at once: a GPU that waits shows other clocks
        around = _Circumstances(floor, watch.stop(), repeat, before, after, meter)
        if not _noisy(around):
            break
    return [one if isinstance(one, CostFailure) else _result(one, around, rng) for one in prepared]


@dataclass(frozen=True)
class _Telling:
    """Says what is timed; a repeat does not take the progress back."""

    on_progress: Progress
    subjects: Sequence[Subject]
    again: bool

    def __call__(self, subject: Subject) -> None:
        doing = f"timing {subject.name}" + (" again: the machine was loaded" if self.again else "")
        self.on_progress(doing, 1.0 if self.again else _done(self.subjects))


def _check_device(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "this machine has no CUDA device that torch can use",
            remedy='set device = "cpu"',
            key="device",
        )


def _prepare(
    request: CostSpec,
    seconds: float,
    seed: int,
    rng: np.random.Generator,
    meter: EnergyMeter | None,
) -> _Prepared:
    lacking = lacks(request.precision, request.device)
    if lacking is not None:
        raise ValueError(lacking)
    shape = (request.channels, request.image_size, request.image_size)
    start = time.perf_counter()
    model = _built(request, seed)
    build_s = time.perf_counter() - start
    throughput, latency = _subjects(request, model, seconds, rng, meter)
    throughput.take_first_pass()
    parameters, macs = count_parameters(model), count_macs(model, shape)
    profile = profile_pass(model, throughput.inputs[0], request.precision)
    return _Prepared(parameters, macs, profile, build_s, throughput, latency)


def _built(request: CostSpec, seed: int) -> nn.Module:
    model = built(request, seed=seed)
    return placed(model, request.device, channels_last=request.channels_last).eval()


def _copy(
    request: CostSpec, seconds: float, seed: int, rng: np.random.Generator
) -> tuple[Subject, Subject]:
    return _subjects(request, _built(request, seed), seconds, rng, None)


def _subjects(
    request: CostSpec,
    model: nn.Module,
    seconds: float,
    rng: np.random.Generator,
    meter: EnergyMeter | None,
) -> tuple[Subject, Subject]:
    """The model at the batch asked for, and at batch 1."""

    def subject(batch_size: int, least_samples: int) -> Subject:
        form: Form = "channels_last" if request.channels_last else "plain"
        return Subject(
            name=request.model.name,
            call=model,
            inputs=[laid_out(batch, form) for batch in batches(request, batch_size, rng=rng)],
            seconds=seconds,
            precision=request.precision,
            threads=request.threads,
            least_samples=least_samples,
            meter=meter,
        )

    return subject(request.batch_size, 0), subject(1, samples_for(0.95))


def _noisy(around: _Circumstances) -> bool:
    return around.load.noisy or disturbed(around.before, around.after)


def _result(
    prepared: _Prepared, around: _Circumstances, rng: np.random.Generator
) -> CostResult | CostFailure:
    timed, single = prepared.throughput, prepared.latency
    failure = timed.failure or single.failure
    if failure is not None:
        return _failure(failure)
    size, macs, batch = prepared.parameters, prepared.macs, timed.batch_size
    seconds = median_interval(timed.rounds_s, rng)
    latencies = single.samples_s
    return CostResult(
        params_trainable=size.trainable,
        params_total=size.total,
        buffers=size.buffers,
        weights_bytes=size.weights_bytes,
        macs=macs.macs,
        macs_complete=macs.complete,
        macs_uncounted=macs.uncounted,
        macs_by_part=macs.by_part,
        macs_by_role=macs.by_role,
        macs_by_family=macs.by_family,
        macs_second_counter=macs.second_counter_macs,
        macs_counters_differ=macs.difference,
        throughput_images_per_s_median=batch / seconds.value,
        throughput_images_per_s_low=batch / seconds.high,
        throughput_images_per_s_high=batch / seconds.low,
        throughput_samples_s=timed.samples_s,
        latency_s_p50=float(np.median(latencies)),
        latency_s_p95=percentile(latencies, 0.95),
        latency_samples_s=latencies,
        throughput_rounds=[len(burst) for burst in timed.rounds_s],
        latency_rounds=[len(burst) for burst in single.rounds_s],
        fed=[*timed.inputs[0].shape],
        types={kind: sorted(found) for kind, found in sorted(prepared.profile.types.items())},
        operator_calls=prepared.profile.calls,
        bytes_moved=prepared.profile.bytes_moved,
        build_s=prepared.build_s,
        first_forward_s=timed.first_pass_s,
        energy_j_per_image=timed.energy_j / (batch * len(timed.samples_s))
        if around.meter
        else None,
        energy_source=around.meter.source if around.meter else None,
        noise_floor=around.floor,
        noisy=_noisy(around),
        repeats=around.repeats,
        load_others=around.load.others,
        seconds=timed.seconds + single.seconds,
        load_before=around.load.before,
        load_after=around.load.after,
        state_before=around.before,
        state_after=around.after,
        notes=_notes(prepared),
    )


def _notes(prepared: _Prepared) -> list[str]:
    """What a reader of the numbers must know, one sentence each."""
    notes = []
    if not (prepared.throughput.stable and prepared.latency.stable):
        notes.append("times were still changing when the warm-up ended")
    precision = prepared.throughput.precision
    if precision != "float32":
        types = prepared.profile.types.items()
        kept = sorted(kind for kind, found in types if found == {"float32"})
        if kept:
            notes.append(f"in float32 under autocast to {precision}: {', '.join(kept)}")
    return notes


def _failure(error: Exception) -> CostFailure:
    no_memory = isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
    return CostFailure(status="out-of-memory" if no_memory else "failed", reason=one_line(error))


def _done(subjects: Sequence[Subject]) -> float:
    finished = sum(min(1.0, s.elapsed_share) if not s.finished else 1.0 for s in subjects)
    return _PREPARING + (1 - _PREPARING) * finished / max(1, len(subjects))
