"""A record of a suite in words: a training, a cost, or a cell of a full measurement."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bench.details import ModelDetail
from bench.records.schema import CostResult, Record, TrainingResult
from bench.records.store import Store
from bench.report.collect import is_asked_cost, is_on_asked_device
from bench.report.explain.built_on import built_on
from bench.report.explain.source import again, decided_by, fields, listed, rests_on
from bench.report.text import giga, millions, milliseconds, percent, rate
from bench.specs import CostSpec, RunSpec, deciding
from bench.staleness import Staleness
from bench.suite import Suite, load_suite, run_spec, suite_names
from bench.suite_details import detail_specs
from bench.suite_file import NO_CONTROL


def explain(store: Store, record: Record) -> list[str]:
    """The lines, each whole in itself."""
    lines = [f"{record.spec.label}: {record.status} ({record.kind} {record.id})"]
    if record.reason:
        lines.append(f"why: {record.reason}")
    lines += _result(record)
    lines += _decided_by(record)
    stale = Staleness.load(store.root).stale(record.spec, record.provenance)
    lines += [*rests_on(record.provenance, stale=stale), *_predictions(store, record)]
    lines += built_on(store, record)
    lines += [
        f"an earlier try, {one.started_at:%Y-%m-%d %H:%M}: {one.status}: {one.reason}"
        for one in record.attempts
    ]
    return [*lines, *_again(record)]


def _result(record: Record) -> Iterator[str]:
    if record.training is not None:
        yield from _training(record.training)
    if record.cost is not None:
        yield from _cost(record.cost)


def _training(result: TrainingResult) -> Iterator[str]:
    test, val = result.test, result.val
    auc = "undefined" if test.auc is None else f"{percent([test.auc])} %"
    yield (
        f"test: ACC {percent([test.acc])} %, AUC {auc}, ECE {percent([test.ece])} %; "
        f"{test.images} images"
    )
    yield (
        f"chosen: epoch {result.selected_epoch} of {len(result.epochs)} by {result.selected_on} "
        f"(ACC {percent([val.acc])} % there); the test split was opened once, "
        f"{result.test_opened_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    yield f"network: {millions(result.params_trainable)} M trainable parameters"
    if result.resumed_at_updates:
        yield f"interrupted: went on after {listed(result.resumed_at_updates)} updates"
    for name, why in (result.omitted_arguments | result.omitted_augmentations).items():
        yield f"left out: {name}: {why}"
    yield from (f"note: {note}" for note in result.notes)


def _cost(cost: CostResult) -> Iterator[str]:
    macs = f"{giga(cost.macs)} GMACs" + ("" if cost.macs_complete else " (incomplete)")
    yield f"network: {millions(cost.params_total)} M parameters, {macs}"
    yield (
        f"speed: {rate(cost.throughput_images_per_s_median)} images/s "
        f"[{rate(cost.throughput_images_per_s_low)}, {rate(cost.throughput_images_per_s_high)}]; "
        f"{milliseconds(cost.latency_s_p50)} ms an image at batch 1 (median)"
    )
    if cost.noisy:
        yield "note: the machine was loaded while measuring"
    yield from (f"note: {note}" for note in cost.notes)


def _decided_by(record: Record) -> Iterator[str]:
    """Every field that is in the id."""
    spec = record.spec
    if isinstance(spec, RunSpec):
        yield from decided_by(spec)
    left = deciding(spec, without={"data", "protocol"})
    told = {name: value for name, value in left.items() if value is not None}
    yield f"decided by: {fields(told)}"


def _predictions(store: Store, record: Record) -> Iterator[str]:
    if record.training is not None:
        kept = store.has_predictions(record)
        found = "unchanged" if kept else "GONE OR CHANGED: nothing that it says can be checked"
        yield f"predictions: {store.predictions_path(record.id).name}, {found}"


def _again(record: Record) -> Iterator[str]:
    """The suites of the project that ask for it, and the command."""
    own = record.suite.name if record.suite is not None else ""
    asked = [(suite, told) for suite, told in _suites(record) if told]
    asked.sort(key=lambda one: one[0].name != own)  # the one that it was made for comes first
    if not asked:
        yield "asked for by: no suite of the checkout as it stands today"
        return
    yield f"asked for by: {listed(suite.name for suite, _ in asked)}"
    suite, told = asked[0]
    spec = record.spec
    verb = "run" if isinstance(spec, RunSpec) else "measure"
    full = " --full" if record.kind == "detail" else ""
    command = f"python -m bench {verb} {suite.name}{full} --only {shlex.quote(told)}"
    yield from again(record.provenance, command, spec.data if isinstance(spec, RunSpec) else None)


def _suites(record: Record) -> Iterator[tuple[Suite, str]]:
    """Each suite of the project with what ``--only`` takes for the record; empty: not in it."""
    spec = record.spec
    for name in suite_names():
        suite = load_suite(name)
        if isinstance(spec, RunSpec):
            for cell in suite.cells:
                same = run_spec(suite, cell).cell_key == spec.cell_key
                if same and is_on_asked_device(suite, record):
                    control = cell.control.label if cell.control else NO_CONTROL
                    yield (
                        suite,
                        f"model={cell.model.name},dataset={cell.dataset.name},seed={cell.seed},"
                        f"control={control}",
                    )
        elif isinstance(spec, CostSpec):
            if is_asked_cost(suite, spec) and spec.model in suite.cost_models:
                yield suite, f"model={spec.model.name}"
        else:
            cells = detail_specs(suite, spec.device, spec.device_name)
            if spec.id in {one.id for one in cells}:
                machine = suite.cost_models[0].name  # whose limits are measured with any model
                name = spec.model.name if isinstance(spec, ModelDetail) else machine
                yield suite, f"model={name}"
