"""Run a file of races on this machine: choose each contender's fastest form, time, compare."""

from __future__ import annotations

import gc

import numpy as np
import torch

from bench.errors import InputError, one_line
from bench.measure.load import LoadWatch
from bench.measure.timing import Lane, Progress, Step, burst, run_rounds, threads
from bench.race import contenders as building
from bench.race.file import Contender, Memory, Race, RaceFile
from bench.race.memory import measure_peak
from bench.race.record import (
    Comparison,
    MemoryResult,
    RaceResult,
    ScalingResult,
    TimedContender,
    judge,
)
from bench.race.scaling import run_scaling
from bench.statistics.timings import speed_ratio

SEED = 0  # of the order of rounds and the bootstrap
SCREEN_ROUNDS = 5  # in each, every form is passed twice and timed the second time


def is_here(file: RaceFile) -> bool:
    """Whether this machine has the device the file asks for."""
    return file.device == "cpu" or torch.cuda.is_available()


def run_races(
    file: RaceFile, on_progress: Progress = lambda doing, done: None
) -> tuple[list[RaceResult], list[ScalingResult], list[MemoryResult]]:
    """Every race, scaling and ceiling of the file; one contender that fails never loses the others.

    Raises:
        InputError: a device this machine lacks, a model or form that does not exist.
    """
    if not is_here(file):
        raise InputError(
            "this machine has no CUDA device that torch can use",
            remedy='set device = "cpu"',
            key="device",
        )
    building.check(file.contenders)
    total = len(file.race) + len(file.scaling) + len(file.memory)
    races, scaled, ceilings = [], [], []
    with threads(file.threads):
        for number, race in enumerate(file.race):

            def within(doing: str, done: float, before: int = number) -> None:
                on_progress(doing, (before + done) / total)

            races.append(_run_race(race, file, within))
            gc.collect()
        for number, scaling in enumerate(file.scaling, len(file.race)):

            def along(doing: str, done: float, before: int = number) -> None:
                on_progress(doing, (before + done) / total)

            scaled.append(run_scaling(scaling, file, along))
            gc.collect()
    for number, ceiling in enumerate(file.memory, len(file.race) + len(file.scaling)):
        on_progress(ceiling.name, number / total)
        ceilings.append(_run_memory(ceiling, file))
    return races, scaled, ceilings


def _run_race(race: Race, file: RaceFile, on_progress: Progress) -> RaceResult:
    rng = np.random.default_rng(SEED)
    watch = LoadWatch()
    timed: list[TimedContender] = []
    lanes: dict[str, Lane] = {}
    everyone = (race.subject, *race.rivals)
    for number, contender in enumerate(everyone):
        on_progress(f"{race.name}: {contender.label}", 0.4 * number / len(everyone))
        prepared, step = _screen(contender, race, file.device)
        timed.append(prepared)
        if step is not None:
            lanes[contender.label] = Lane(contender.label, step, prepared.rounds_s)
    run_rounds(
        list(lanes.values()),
        rounds=file.rounds,
        seconds_per_lane=file.seconds_per_contender,
        rng=rng,
        on_visit=lambda lane, done: on_progress(f"{race.name}: {lane.label}", 0.4 + 0.6 * done),
    )
    noisy = watch.stop().noisy
    fastest = min(
        (lanes[rival.label] for rival in race.rivals if rival.label in lanes),
        key=Lane.median_s,
        default=None,
    )
    subject = lanes.get(race.subject.label)
    compared = [
        _compare(subject, lanes[rival.label], rival.at_least)
        for rival in race.rivals
        if subject is not None and rival.label in lanes
    ]
    against = None
    if subject is not None and fastest is not None and race.at_least is not None:
        against = _compare(subject, fastest, race.at_least)
    return RaceResult(
        spec=race,
        contenders=timed,
        comparisons=compared,
        fastest=fastest.label if fastest else None,
        against_fastest=against,
        noisy=noisy,
    )


def _screen(contender: Contender, race: Race, device: str) -> tuple[TimedContender, Step | None]:
    """The contender in its fastest form, and what to time; None and the reason where it fails."""
    made: dict[str, Step] = {}
    notes: list[str] = []
    for form, make in building.steps(contender, race, device).items():
        try:
            step = make()
            step()
            made[form] = step
        except Exception as error:  # a form that a model lacks is a note; the others go on
            notes.append(f"{form}: {one_line(error)}")
    passes: dict[str, list[float]] = {form: [] for form in made}
    for _ in range(SCREEN_ROUNDS if len(made) > 1 else 1):  # in turn: drift must not choose
        for form, step in list(made.items()):
            try:
                step()
                passes[form] += burst(step, 0.0)
            except Exception as error:
                notes.append(f"{form}: {one_line(error)}")
                del made[form]
    found = {form: float(np.median(passes[form])) for form in made}
    best = min(found, key=found.__getitem__, default=None)
    result = TimedContender(
        label=contender.label,
        form=best or "none",
        screened_s=found,
        units_per_pass=building.units_per_pass(race),
        notes=notes,
        rounds_s=[],
        failure=None if best else "; ".join(notes),
    )
    return result, made[best] if best else None


def _compare(subject: Lane, rival: Lane, at_least: float | None) -> Comparison:
    ratio = speed_ratio(subject.rounds_s, rival.rounds_s)
    return Comparison(
        rival=rival.label,
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
        at_least=at_least,
        verdict=judge(ratio.low, ratio.high, at_least),
    )


def _run_memory(spec: Memory, file: RaceFile) -> MemoryResult:
    try:
        peak, before = measure_peak(spec, device=file.device, threads=file.threads)
    except (MemoryError, RuntimeError) as error:
        return MemoryResult(
            spec=spec, peak_bytes=None, before_bytes=None, failure=str(error), verdict="missed"
        )
    kept = peak <= spec.at_most_gib * 2**30
    return MemoryResult(
        spec=spec,
        peak_bytes=peak,
        before_bytes=before,
        failure=None,
        verdict="reached" if kept else "missed",
    )
