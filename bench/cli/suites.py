"""Commands on a suite: run, measure, report, status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.engines import Address, EngineName, Hardware, MemoryGiB, Shared
from bench.cli.options import (
    CheckpointEvery,
    DryRun,
    Only,
    PerGpu,
    Refresh,
    Stream,
    SuiteName,
    TensorBoard,
    Workers,
    open_store,
    parse_only,
    shown,
    warn_of_damage,
)
from bench.errors import InputError, nearest

if TYPE_CHECKING:
    from bench.plan import Device, Plan
    from bench.records.schema import Record
    from bench.records.store import Store
    from bench.specs import ModelSpec
    from bench.suite import Suite


def run(
    context: typer.Context,
    suite: SuiteName,
    only: Only = "",
    dry_run: DryRun = False,
    refresh: Refresh = False,
    workers: Workers = None,
    per_gpu: PerGpu = None,
    tensorboard: TensorBoard = None,
    checkpoint_every: CheckpointEvery = 30.0,
    stream: Stream = False,
    engine: EngineName = "local",
    address: Address = None,
    shared: Shared = None,
    memory: MemoryGiB = None,
    hardware: Hardware = None,
) -> None:
    """Train what is not trained yet; finished runs are kept, failed ones tried again."""
    from bench.cli.cluster import print_estimate
    from bench.cli.engines import check_engine, join_cluster, local_engine, say_used, say_where
    from bench.cli.run_options import make_options, places_of
    from bench.console import SuiteScreen, out, print_failures, print_work
    from bench.execution.estimate import Estimator
    from bench.execution.leftovers import sweep
    from bench.execution.pending import pending

    if hardware is not None:
        print_estimate(suite, only, hardware, dry_run=dry_run)
        return
    options = make_options(tensorboard, checkpoint_every, stream, dry_run=dry_run)
    on_cluster = engine != "local"
    ask_first = on_cluster and _load(suite).settings.device != "cpu"  # which GPUs it has
    place = check_engine(engine, address, shared, workers, memory)
    cluster = join_cluster(context, address, place) if ask_first else None
    device = cluster.device if cluster else None
    plan, store = plan_suite(suite, only, dry_run=dry_run, stream=stream, device=device)
    places = None if on_cluster else places_of(plan, workers, per_gpu)
    todo = pending(plan, store, refresh=refresh)
    if on_cluster and cluster is None and todo:
        cluster = join_cluster(context, address, place)
    records, damaged = store.readable()
    estimator = Estimator(records)
    for line in damaged:
        typer.echo(f"left alone: {line}", err=True)
    ray = cluster.engine(plan, per_gpu, memory, estimator) if cluster else None
    at_once = ray.nodes.slots if ray else workers or 1
    if dry_run:
        print_work(plan, todo, estimator, max(1, at_once))
        return
    refuse_if_nothing_to_train_on(plan)
    sweep(store.root, {run.id for run in plan.runs} - {run.id for run in todo})
    statuses = Counter(done=len(plan.runs) - len(todo))
    if statuses["done"]:
        out.print(f"{statuses['done']} finished runs kept, not trained again.")
    if todo:
        if cluster and ray:
            out.print(say_where(cluster, ray), markup=False)
        images = {name: len(data.train) for name, data in plan.datasets.items()}
        with SuiteScreen(todo, images, estimator, at_once) as screen:
            do = ray or local_engine(places)
            if ray:
                ray.on_slots = screen.has_room
            statuses += do(plan, todo, store, screen, refresh=refresh, options=options)
        if ray:
            out.print(say_used(ray), markup=False)
        print_failures(screen.failures, store.root)
    warn_of_damage(store)
    summary = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if count)
    out.print(f"{plan.suite.name}: {summary}. Records are in {shown(store.folder)}.")
    if statuses["done"] < len(plan.runs):
        raise typer.Exit(1)


def measure(
    suite: SuiteName,
    only: Only = "",
    dry_run: DryRun = False,
    refresh: Refresh = False,
    full: Annotated[
        bool,
        typer.Option(
            help="Also other forms and precisions, p99, memory, scaling and the machine's limits."
        ),
    ] = False,
) -> None:
    """Measure parameters, MACs, throughput and latency of the suite's models on this machine."""
    from bench.console import CostScreen, out
    from bench.execution.estimate import wall_by_detail
    from bench.execution.pending import pending_costs, pending_details
    from bench.model_checks import check_measurable
    from bench.plan import resolve_device
    from bench.report.text import duration
    from bench.suite_details import detail_specs

    loaded = _load(suite)
    models = _chosen_models(loaded, parse_only(only))
    store = open_store(repair=not dry_run)
    device = resolve_device(loaded)
    todo = pending_costs(loaded, models, device, store, refresh=refresh)
    cells = pending_details(loaded, models, device, store, refresh=refresh) if full else []
    unfit = check_measurable(loaded, models if cells else [spec.model for spec in todo])
    if dry_run:
        for asked in todo:
            reason = unfit.get(asked.model.name)
            doubt = f"  (will be blank: {reason})" if reason else ""
            out.print(f"{asked.id}  {asked.label}{doubt}", markup=False)
        seconds = len(todo) * loaded.settings.cost.seconds_per_model
        out.print(f"{len(todo)} models to measure on {device.name}, at least {seconds:.0f} s.")
        took = wall_by_detail(store.readable()[0])
        for spec in cells:
            expected = duration(took.get(spec.detail))
            out.print(f"{spec.id}  {spec.label}  {expected}", markup=False)
        return
    failed = broken = 0
    if todo:
        from bench.execution.costs import measure_pending

        with CostScreen() as screen:
            failed = measure_pending(loaded, todo, store, screen.show)
        for asked in todo:
            record = store.load(asked.id)
            if record is not None and record.reason is not None:
                out.print(f"{asked.label}: {record.status}: {record.reason}", markup=False)
    if cells:
        from bench.execution.details import measure_details

        def told(number: int, record: Record) -> None:
            result = record.status if record.reason is None else f"{record.status}: {record.reason}"
            took = duration(record.provenance.wall_s)
            out.print(
                f"[{number}/{len(cells)}] {record.spec.label}: {result} ({took})", markup=False
            )

        with CostScreen() as screen:
            broken = measure_details(loaded, cells, store, screen.show, told)
    warn_of_damage(store)
    kept = len(models) - len(todo)
    out.print(f"{loaded.name}: {len(todo) - failed} measured, {kept} kept, {failed} failed.")
    if full:
        total = len(detail_specs(loaded, device.kind, device.name, models))
        out.print(
            f"{loaded.name}, in full: {len(cells) - broken} cells measured, "
            f"{total - len(cells)} kept, {broken} failed."
        )
    if failed or broken:
        raise typer.Exit(1)


def _chosen_models(suite: Suite, wanted: dict[str, set[str]]) -> list[ModelSpec]:
    """The models to measure: all of ``cost.models``, or those of the chosen runs."""
    if suite.settings.cost.models is None:
        return list({cell.model.name: cell.model for cell in suite.only(wanted)}.values())
    known = {model.name: model for model in suite.cost_models}
    for key in wanted:
        if key != "model":
            raise InputError(
                f"{key!r} chooses runs, and this suite's models are only measured",
                remedy="write model=NAME",
                key="--only",
            )
    names = wanted.get("model", set(known))
    for name in sorted(names - set(known)):
        raise InputError(
            f"the suite {suite.name!r} measures no model {name!r}",
            remedy=nearest(name, known),
            key="--only",
        )
    return [model for name, model in known.items() if name in names]


def report(
    suite: SuiteName,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default reports/SUITE.")
    ] = None,
    show: Annotated[bool, typer.Option(help="Print the accuracy table too.")] = False,
    embed: Annotated[
        Path | None, typer.Option(help="Also put the main table between this file's markers.")
    ] = None,
) -> None:
    """Draw the suite's tables from its records; trains and measures nothing."""
    from rich.console import Console

    from bench.plan import present_checksums
    from bench.records.audit import load_all
    from bench.records.store import write_atomic
    from bench.report.audits import audits_for
    from bench.report.brief import BRIEF
    from bench.report.collect import collect
    from bench.report.readme import embed_in_file
    from bench.report.tables import main_table, own_folder, with_predictions, write_tables
    from bench.staleness import Staleness

    loaded = _load(suite)
    store, checksums = open_store(repair=False), present_checksums(loaded)
    folder = output if output is not None else own_folder(loaded, store.root)
    records = with_predictions(loaded, store, checksums)
    known = Staleness.load(store.root)
    audits = audits_for(collect(loaded, records, checksums), load_all(store.root), store)
    text, main = None, partial(main_table, loaded, records, checksums, audits, known)
    if embed is not None:  # read before anything is written
        brief = partial(main, brief=True)
        text = embed_in_file(embed, {loaded.name: main, loaded.name + BRIEF: brief})
    paths = write_tables(loaded, records, folder, checksums, audits, known, store)
    if embed is not None and text is not None:
        write_atomic(embed, text.encode())
    if show:
        Console(highlight=False, soft_wrap=True).print(paths[0].read_text(), markup=False)
    typer.echo("\n".join(shown(path) for path in paths))


def status(suite: SuiteName, shared: Shared = None) -> None:
    """Say which runs of a suite are done, running, failed, stale or missing, and the time left."""
    from rich.console import Console

    from bench.cli.engines import pull
    from bench.plan import present_checksums
    from bench.report.status import status_lines

    console, loaded = Console(highlight=False, soft_wrap=True), _load(suite)
    store = open_store(repair=False)
    pull(shared, store)
    for line in status_lines(loaded, store, present_checksums(loaded)):
        console.print(line, markup=False)


def _load(suite: str) -> Suite:
    from bench.suite import load_suite

    return load_suite(suite)


def plan_suite(
    name: str,
    only: str,
    *,
    dry_run: bool,
    stream: bool,
    device: Callable[[Suite], Device] | None = None,
) -> tuple[Plan, Store]:
    """Everything a suite says is checked, models too, before anything is written."""
    from bench.model_checks import check_models
    from bench.plan import check_data, make_plan

    suite = _load(name)
    if not suite.cells:
        raise InputError(
            f"the suite {suite.name!r} trains nothing, it only measures",
            remedy=f"use `python -m bench measure {suite.reference}`",
            file=shown(suite.path),
        )
    cells = suite.only(parse_only(only))
    check_data(suite, cells)
    store = open_store(repair=not dry_run)
    there = device(suite) if device else None
    plan = make_plan(suite, cells, download=not dry_run, stream=stream, device=there)
    open_runs = {run.model.name: run.model for run in plan.runs if not store.path(run.id).exists()}
    check_models(suite, open_runs.values())
    return plan, store


def refuse_if_nothing_to_train_on(plan: Plan) -> None:
    from bench.console import err

    for line in plan.unavailable.values():
        err.print(line, markup=False)
    if not plan.datasets:
        raise InputError(
            "none of the suite's data sets can be had here",
            remedy="see the lines above; nothing was written",
            file=shown(plan.suite.path),
        )
