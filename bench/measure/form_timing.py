"""One model in all its forms and precisions, timed in turn, so that each is known beside plain."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from bench.details import Form, FormsSpec
from bench.errors import one_line
from bench.measure.building import batches, built, true_float32
from bench.measure.energy import EnergyMeter, energy_meter
from bench.measure.forms import check_outputs, lacks, laid_out, make_form
from bench.measure.load import Load, LoadWatch
from bench.measure.steps import inference_step
from bench.measure.timing import Lane, Progress, run_rounds, threads
from bench.records.details import FormsResult, FormTiming
from bench.specs import Precision

ROUNDS = 10
MOST_REPEATS = 2  # of a measurement that a loaded machine disturbed
LATENCY_SHARE = 3  # of the time at the batch: far more passes are needed for a far percentile
REDUCED: Form = "channels_last"  # the form in which precisions below float32 are timed


@dataclass
class _Timed:
    """A form in a precision, and the lanes of its two batches."""

    form: Form
    precision: Precision
    first_pass_s: float | None = None
    failure: str | None = None
    lanes: tuple[Lane, Lane] | None = None


def measure_forms(
    spec: FormsSpec, *, seconds_per_form: float, seed: int, on_progress: Progress
) -> FormsResult:
    """A form that the model or the device lacks keeps its reason; the others go on.

    Raises:
        InputError: the model itself cannot be built.
    """
    rng = np.random.default_rng(seed)
    model = built(spec, seed=seed).to(spec.device).eval()
    drawn = batches(spec, spec.batch_size, rng=rng)
    wanted: list[tuple[Form, Precision]] = [(form, "float32") for form in spec.forms]
    wanted += [(REDUCED, precision) for precision in spec.precisions if precision != "float32"]
    meter = energy_meter(spec.device)
    with threads(spec.threads), true_float32():
        timed = []
        for number, (form, precision) in enumerate(wanted):
            on_progress(f"{spec.model.name}: {form}, {precision}", 0.5 * number / len(wanted))
            timed.append(_prepare(model, form, precision, drawn, spec.threads))
        load, repeats = _time(timed, spec, seconds_per_form, rng, meter, on_progress), 0
        while load.noisy and repeats < MOST_REPEATS:
            load = _time(timed, spec, seconds_per_form, rng, meter, on_progress)
            repeats += 1
    return FormsResult(
        timings=[_result(one, spec.batch_size, meter) for one in timed],
        energy_source=meter.source if meter else None,
        noisy=load.noisy,
        repeats=repeats,
        seconds_per_form=seconds_per_form,
        load_before=load.before,
        load_after=load.after,
    )


def _prepare(
    model: nn.Module, form: Form, precision: Precision, drawn: list[Tensor], threads: int
) -> _Timed:
    timed = _Timed(form, precision, failure=lacks(precision, drawn[0].device.type))
    if timed.failure is not None:
        return timed
    try:
        lanes = []
        for count in (len(drawn[0]), 1):
            own = [laid_out(batch[:count], form) for batch in drawn]
            call = make_form(model, form, own[0], threads=threads)
            lane = Lane(form, inference_step(call, own, precision))
            start = time.perf_counter()
            lane.step()
            if timed.first_pass_s is None:
                timed.first_pass_s = time.perf_counter() - start
            check_outputs(model, call, own[0], form, precision)
            lanes.append(lane)
        timed.lanes = (lanes[0], lanes[1])
    except Exception as error:  # whatever a form raises is its cell's reason
        timed.failure = one_line(error)
    return timed


def _time(
    timed: list[_Timed],
    spec: FormsSpec,
    seconds: float,
    rng: np.random.Generator,
    meter: EnergyMeter | None,
    on_progress: Progress,
) -> Load:
    watch = LoadWatch()
    for place, share in ((0, 1), (1, LATENCY_SHARE)):
        lanes = [one.lanes[place] for one in timed if one.lanes is not None and not one.failure]
        for lane in lanes:
            lane.rounds_s.clear()
            lane.energy_j = 0.0
        run_rounds(
            lanes,
            rounds=ROUNDS,
            seconds_per_lane=seconds * share,
            rng=rng,
            on_visit=lambda lane, done: on_progress(
                f"{spec.model.name}: timing {lane.label}", 0.5 + 0.5 * done
            ),
            meter=meter,
        )
        for one in timed:
            if one.lanes is not None and one.lanes[place].failure is not None:
                one.failure = one.lanes[place].failure
    return watch.stop()


def _result(timed: _Timed, batch_size: int, meter: EnergyMeter | None) -> FormTiming:
    if timed.lanes is None or timed.failure is not None:
        return FormTiming(form=timed.form, precision=timed.precision, failure=timed.failure)
    batch, single = timed.lanes
    images = batch_size * sum(len(passes) for passes in batch.rounds_s)
    return FormTiming(
        form=timed.form,
        precision=timed.precision,
        first_pass_s=timed.first_pass_s,
        rounds_s=batch.rounds_s,
        latency_rounds_s=single.rounds_s,
        energy_j_per_image=batch.energy_j / images if meter else None,
        still_changing=not (batch.stable and single.stable),
    )
