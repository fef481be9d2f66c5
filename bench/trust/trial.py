"""The timer on trial: beside timm's own loop, on identical copies, and on a slower copy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bench.measure.building import built, placed, random_batches
from bench.measure.forms import Call, laid_out
from bench.measure.load import LoadWatch
from bench.measure.steps import inference_step
from bench.measure.throughput import Subject
from bench.measure.timing import Lane, Progress, run_rounds, threads
from bench.provenance import processor, trust_digest
from bench.run.recording import Clock, made_now
from bench.specs import ModelSpec
from bench.trust.file import TrustFile
from bench.trust.record import CopyTimes, LoopTimes, TrustRecord, save

SEED = 0
_LOOPS_SHARE = 0.5  # of the progress


def try_timer(file: TrustFile, results: Path, on_progress: Progress) -> TrustRecord:
    """Run the whole trial on this machine's CPU and keep it under ``results/``.

    Raises:
        InputError: a model that does not exist.
    """
    clock, watch, rng = Clock(), LoadWatch(), np.random.default_rng(SEED)
    with threads(file.threads):
        loops = []
        for number, name in enumerate(file.loops.models):
            on_progress(f"two loops: {name}", _LOOPS_SHARE * number / len(file.loops.models))
            loops.append(_two_loops(file, name, rng))
        copies = []
        for repeat in range(file.copies.repeats):
            done = _LOOPS_SHARE + (1 - _LOOPS_SHARE) * repeat / file.copies.repeats
            on_progress(f"copies: repeat {repeat + 1} of {file.copies.repeats}", done)
            copies.append(_copies(file, rng))
    record = TrustRecord(
        spec=file,
        provenance=made_now(trust_digest(), processor(), file.threads, clock),
        loops=loops,
        copies=copies,
        noisy=watch.stop().noisy,
    )
    save(record, results)
    return record


class _Asked:
    """A model of the trial, as :mod:`bench.measure.building` takes it."""

    device = "cpu"

    def __init__(self, file: TrustFile, name: str, image_size: int) -> None:
        self.model, self.image_size = ModelSpec(name=name), image_size
        self.num_classes, self.channels = file.num_classes, file.channels


def _model(file: TrustFile, name: str, image_size: int) -> nn.Module:
    model = built(_Asked(file, name, image_size), seed=SEED)
    return placed(model, "cpu", channels_last=True).eval()


def _batches(
    file: TrustFile, image_size: int, batch_size: int, rng: np.random.Generator
) -> list[Tensor]:
    shape = (batch_size, file.channels, image_size, image_size)
    drawn = random_batches(shape, device="cpu", rng=rng)
    return [laid_out(batch, "channels_last") for batch in drawn]


def _two_loops(file: TrustFile, name: str, rng: np.random.Generator) -> LoopTimes:
    """Both loops on one model, one pass each in turn; which goes first changes each time."""
    spec = file.loops
    model = _model(file, name, spec.image_size)
    batches = _batches(file, spec.image_size, spec.batch_size, rng)
    ours = Subject(name=name, call=model, inputs=batches, seconds=1.0, threads=file.threads)
    theirs = timm_step(model, batches[0])
    for _ in range(3):  # both warm
        ours.timed_pass()
        theirs()
    times = LoopTimes(model=name, ours_s=[], timm_s=[])
    pair = [(times.ours_s, ours.timed_pass), (times.timm_s, theirs)]
    for number in range(spec.rounds):
        for rounds_s, step in pair if number % 2 else reversed(pair):
            rounds_s.append([step()])
    return times


def timm_step(model: nn.Module, images: Tensor) -> Callable[[], float]:
    """A step as timm's ``benchmark.py`` takes it (``InferenceBenchmarkRunner``), on a CPU.

    One constant input, ``no_grad``, the wall clock around the call; autocast is off.
    """

    def step() -> float:
        with torch.no_grad():
            start = time.perf_counter()
            model(images)
            return time.perf_counter() - start

    return step


def _copies(file: TrustFile, rng: np.random.Generator) -> CopyTimes:
    """Three copies built anew in an order drawn anew: luck with memory must favour none of them."""
    spec = file.copies
    batches = _batches(file, spec.image_size, spec.batch_size, rng)
    calls: dict[int, Call] = {
        place: _model(file, spec.model, spec.image_size) for place in rng.permutation(3).tolist()
    }
    calls[2] = slower(calls[2], spec.slower_by)
    lanes = [Lane(str(i), inference_step(calls[i], batches, "float32")) for i in range(3)]
    run_rounds(lanes, rounds=spec.rounds, seconds_per_lane=0.0, rng=rng, settle=False)
    first, copy, slow = (lane.rounds_s for lane in lanes)
    return CopyTimes(first_s=first, copy_s=copy, slower_s=slow)


def slower(call: Call, share: float) -> Call:
    """The same call, then busy for ``share`` of the time it took."""

    def slow(images: Tensor) -> object:
        start = time.perf_counter()
        result = call(images)
        until = start + (1 + share) * (time.perf_counter() - start)
        while time.perf_counter() < until:
            pass
        return result

    return slow
