"""Cost of a set of models: size, MACs, throughput and latency, each model one result or failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from bench import models
from bench.errors import InputError
from bench.measure.load import Load, LoadWatch
from bench.measure.macs import MacCount, count_macs
from bench.measure.parameters import ParameterCount, count_parameters
from bench.measure.throughput import Subject, measure, median_interval, percentile, random_batches
from bench.records.schema import CostResult, Stored
from bench.specs import CostSpec

Progress = Callable[[str, float], None]
"""Told what is being done, and the fraction done of all, 0 to 1."""

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
    throughput: Subject
    latency: Subject


def measure_costs(
    requests: Sequence[CostSpec],
    *,
    seconds_per_model: float,
    seed: int,
    on_progress: Progress = lambda doing, done: None,
) -> list[CostResult | CostFailure]:
    """Measure all requests in one process, timed in turn; results in the order of the requests.

    Args:
        seconds_per_model: for timing, half at the batch size asked for and half at batch 1; a
            model whose passes are long takes longer.
        seed: decides weights, inputs and the order of the rounds.

    Raises:
        InputError: a device that this machine lacks. Everything else is one request's failure.
    """
    for request in requests:
        _check_device(request.device)
    rng = np.random.default_rng(seed)
    prepared: list[_Prepared | CostFailure] = []
    for number, request in enumerate(requests):
        on_progress(f"counting {request.model.name}", _PREPARING * number / len(requests))
        try:
            prepared.append(_prepare(request, seconds_per_model / 2, seed, rng))
        except Exception as error:  # a model's fault is its own row
            prepared.append(_failure(error))
    subjects = [s for p in prepared if isinstance(p, _Prepared) for s in (p.throughput, p.latency)]
    watch = LoadWatch()
    measure(subjects, rng=rng, on_visit=lambda s: on_progress(f"timing {s.name}", _done(subjects)))
    load = watch.stop()
    return [p if isinstance(p, CostFailure) else _result(p, load, rng) for p in prepared]


def _check_device(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "this machine has no CUDA device that torch can use",
            remedy='set device = "cpu"',
            key="device",
        )


def _prepare(request: CostSpec, seconds: float, seed: int, rng: np.random.Generator) -> _Prepared:
    shape = (request.channels, request.image_size, request.image_size)
    model = _built(request, seed)
    parameters, macs = count_parameters(model), count_macs(model, shape)
    if request.channels_last:
        model = model.to(memory_format=torch.channels_last)
    model = model.to(request.device).eval()

    def subject(batch_size: int) -> Subject:
        return Subject(
            name=request.model.name,
            model=model,
            inputs=random_batches(
                (batch_size, *shape),
                device=request.device,
                rng=rng,
                channels_last=request.channels_last,
            ),
            seconds=seconds,
            precision=request.precision,
            threads=request.threads,
        )

    return _Prepared(parameters, macs, subject(request.batch_size), subject(1))


def _built(request: CostSpec, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return models.build(
            request.model,
            num_classes=request.num_classes,
            in_chans=request.channels,
            image_size=request.image_size,
        ).model


def _result(prepared: _Prepared, load: Load, rng: np.random.Generator) -> CostResult | CostFailure:
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
        macs_by_family=macs.by_family,
        macs_second_counter=macs.second_counter_macs,
        macs_counters_differ=macs.difference,
        throughput_images_per_s_median=batch / seconds.median,
        throughput_images_per_s_low=batch / seconds.high,
        throughput_images_per_s_high=batch / seconds.low,
        throughput_samples_s=timed.samples_s,
        latency_s_p50=float(np.median(latencies)),
        latency_s_p95=percentile(latencies, 0.95),
        latency_samples_s=latencies,
        noisy=load.noisy,
        load_before=load.before,
        load_after=load.after,
        notes=_notes(prepared),
    )


def _notes(prepared: _Prepared) -> list[str]:
    """What a reader of the numbers must know, one sentence each."""
    notes = []
    if not (prepared.throughput.stable and prepared.latency.stable):
        notes.append("times were still changing when the warm-up ran out of its share of time")
    if prepared.throughput.precision != "float32" and "scan" in prepared.macs.by_family:
        notes.append(f"the scan ran in float32, the rest in {prepared.throughput.precision}")
    return notes


def _failure(error: Exception) -> CostFailure:
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    no_memory = isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
    return CostFailure(status="out-of-memory" if no_memory else "failed", reason=first_line)


def _done(subjects: Sequence[Subject]) -> float:
    finished = sum(min(1.0, s.elapsed_share) if not s.finished else 1.0 for s in subjects)
    return _PREPARING + (1 - _PREPARING) * finished / max(1, len(subjects))
