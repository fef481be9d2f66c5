"""One record in words: what it is, what it rests on, and how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from bench.errors import InputError, nearest
from bench.records.schema import CostResult, Record, TrainingResult
from bench.records.store import Store
from bench.report.text import duration, giga, millions, milliseconds, percent, rate
from bench.specs import CostSpec, RunSpec, deciding
from bench.staleness import Staleness
from bench.suite import Suite, load_suite, run_spec, suite_names
from bench.suite_file import NO_CONTROL

SHORTEST = 4  # characters of an id that may stand for it


def find(store: Store, identity: str) -> Record:
    """The record of this id, or the only one whose id begins so.

    Raises:
        InputError: there is none, or more than one, or it is damaged.
    """
    known = sorted(path.stem for path in store.folder.glob("*.json"))
    begun = [one for one in known if one.startswith(identity)] if len(identity) >= SHORTEST else []
    if len(begun) != 1:
        problem = f"no record's id begins with {identity!r}"
        remedy = nearest(identity, known) if known else "run a suite first"
        if begun:
            problem = f"{len(begun)} records' ids begin with {identity!r}"
            remedy = f"write more of it: {', '.join(begun[:3])}"
        elif len(identity) < SHORTEST:
            problem = f"{identity!r} is too short for an id"
            remedy = f"write {SHORTEST} characters of it or more"
        raise InputError(problem, remedy=remedy, key="ID")
    record = store.load(begun[0])
    assert record is not None
    return record


def explain(store: Store, record: Record) -> list[str]:
    """The lines, each whole in itself."""
    lines = [f"{record.spec.label}: {record.status} ({record.kind} {record.id})"]
    if record.reason:
        lines.append(f"why: {record.reason}")
    lines += _result(record)
    lines += _decided_by(record)
    lines += _rests_on(store, record)
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
        yield f"interrupted: went on after {_listed(result.resumed_at_updates)} updates"
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
        data = spec.data
        said = f"; {_fields(data.described)}" if data.described else ""
        size = f"{data.source_size} px fed at {spec.image_size} px"
        yield f"data: {data.name}, {data.checksum}, {size}{said}"
        yield f"protocol: {_fields(spec.protocol.deciding())}"
    left = deciding(spec, without={"data", "protocol"})
    told = {name: value for name, value in left.items() if value is not None}
    yield f"decided by: {_fields(told)}"


def _fields(values: object) -> str:
    if isinstance(values, dict):
        return ", ".join(f"{key} {_nested(value)}" for key, value in values.items())
    return str(values)


def _nested(value: object) -> str:
    if isinstance(value, dict):
        return f"({_fields(value)})"
    return _listed(value) if isinstance(value, list) else str(value)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _rests_on(store: Store, record: Record) -> Iterator[str]:
    made = record.provenance
    dirty = ", with changes that were not committed" if made.dirty else ""
    yield (
        f"made: {made.started_at:%Y-%m-%d %H:%M} UTC in {duration(made.wall_s)} on "
        f"{made.processor} ({made.device_name}, {made.threads} threads); commit "
        f"{made.commit or 'unknown'}{dirty}"
    )
    packages = _listed(f"{name} {version}" for name, version in made.packages.items())
    yield f"with: Python {made.python}, {packages}; {made.platform}"
    stale = Staleness.load(store.root).stale(record.spec, made)
    yield "code: " + ("has changed since: the record is stale" if stale else "gives the same today")
    if record.training is not None:
        kept = store.has_predictions(record)
        found = "unchanged" if kept else "GONE OR CHANGED: nothing that it says can be checked"
        yield f"predictions: {store.predictions_path(record.id).name}, {found}"


def _again(record: Record) -> Iterator[str]:
    """The suites of the project that ask for it, and the command."""
    asked = [(suite, told) for suite, told in _suites(record) if told]
    if not asked:
        yield "asked for by: no suite of the checkout as it stands today"
        return
    yield f"asked for by: {_listed(suite.name for suite, _ in asked)}"
    suite, told = asked[0]
    verb = "run" if isinstance(record.spec, RunSpec) else "measure"
    checkout = f"git checkout {record.provenance.commit}; " if record.provenance.commit else ""
    yield (
        f"again: {checkout}BENCH_RESULTS=again python -m bench {verb} {suite.name} "
        f"--only {shlex.quote(told)}"
    )


def _suites(record: Record) -> Iterator[tuple[Suite, str]]:
    """Each suite of the project with what ``--only`` takes for the record; empty: not in it."""
    spec = record.spec
    for name in suite_names():
        suite = load_suite(name)
        if isinstance(spec, RunSpec):
            for cell in suite.cells:
                if run_spec(suite, cell).cell_key == spec.cell_key:
                    control = cell.control.label if cell.control else NO_CONTROL
                    yield (
                        suite,
                        f"model={cell.model.name},dataset={cell.dataset.name},seed={cell.seed},"
                        f"control={control}",
                    )
        elif isinstance(spec, CostSpec):
            same = spec.image_size == suite.settings.image_size
            if same and spec.model in suite.cost_models:
                yield suite, f"model={spec.model.name}"
