"""The commands: parse, call, print. Heavy imports stand inside them, so that help is instant."""

from __future__ import annotations

import logging
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bench.errors import InputError, nearest
from bench.process import DEBUG, run_to_exit

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.records.store import Store
    from bench.search.record import Trial
    from bench.suite import Suite

app = typer.Typer(
    name="python -m bench",
    help="Train, measure and compare MedSpectralNet, its ablations and its rivals on MedMNIST.\n\n"
    "A suite (a TOML file in suites/) names models, data sets, seeds and one protocol. "
    "Start with: python -m bench run quick; python -m bench measure quick; "
    "python -m bench report quick.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SuiteName = Annotated[str, typer.Argument(help="A suite's name in suites/, or a path to one.")]
Only = Annotated[
    str,
    typer.Option(
        help="Do a part: model=NAME,dataset=NAME,seed=N,control=NAME; a key may be repeated.",
        metavar="KEY=VALUE,…",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and print the work; do nothing.")]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="Make stale records anew (their code has changed).")
]

ONLY_KEYS = ("model", "dataset", "seed", "control")


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"
        logging.basicConfig(level=logging.DEBUG)


@app.command()
def run(
    suite: SuiteName, only: Only = "", dry_run: DryRun = False, refresh: Refresh = False
) -> None:
    """Train what is not trained yet; finished runs are kept, failed ones tried again."""
    from bench.console import SuiteScreen, out, print_work
    from bench.execution.estimate import Estimator
    from bench.execution.pending import pending

    plan, store = _plan(suite, only, dry_run=dry_run)
    todo = pending(plan, store, refresh=refresh)
    records, damaged = store.readable()
    estimator = Estimator(records)
    for line in damaged:
        typer.echo(f"left alone: {line}", err=True)
    if dry_run:
        print_work(plan, todo, estimator)
        return
    _refuse_if_nothing_to_train_on(plan)
    statuses = Counter(done=len(plan.runs) - len(todo))
    if statuses["done"]:
        out.print(f"{statuses['done']} finished runs kept, not trained again.")
    if todo:
        from bench.execution.local import run_plan

        images = {name: len(data.train) for name, data in plan.datasets.items()}
        with SuiteScreen(todo, images, estimator) as screen:
            statuses += run_plan(plan, todo, store, screen)
    _warn_of_damage(store)
    summary = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if count)
    out.print(f"{plan.suite.name}: {summary}. Records are in {_shown(store.folder)}.")
    if statuses["done"] < len(plan.runs):
        raise typer.Exit(1)


@app.command()
def measure(
    suite: SuiteName, only: Only = "", dry_run: DryRun = False, refresh: Refresh = False
) -> None:
    """Measure parameters, MACs, throughput and latency of the suite's models on this machine."""
    from bench.console import CostScreen, out
    from bench.execution.pending import pending_costs
    from bench.plan import check_models, resolve_device

    loaded = _load(suite)
    cells = loaded.only(_parse_only(only))
    store = _store(repair=not dry_run)
    device = resolve_device(loaded)
    todo = pending_costs(loaded, cells, device, store, refresh=refresh)
    check_models(loaded, [spec.model for spec in todo])
    if dry_run:
        seconds = len(todo) * loaded.settings.cost.seconds_per_model
        out.print(f"{len(todo)} models to measure on {device.name}, at least {seconds:.0f} s.")
        return
    failed = 0
    if todo:
        from bench.execution.costs import measure_pending

        with CostScreen() as screen:
            failed = measure_pending(loaded, todo, store, screen.show)
    _warn_of_damage(store)
    kept = len({cell.model.name for cell in cells}) - len(todo)
    out.print(f"{loaded.name}: {len(todo) - failed} measured, {kept} kept, {failed} failed.")
    if failed:
        raise typer.Exit(1)


@app.command()
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
    from bench.records.store import write_atomic
    from bench.report.readme import embed_in_file
    from bench.report.tables import main_table, with_predictions, write_tables

    loaded = _load(suite)
    store, checksums = _store(repair=False), present_checksums(loaded)
    records = with_predictions(loaded, store, checksums)
    text = None
    if embed is not None:  # read before anything is written
        text = embed_in_file(embed, loaded.name, main_table(loaded, records, checksums))
    paths = write_tables(loaded, records, output, checksums)
    if embed is not None and text is not None:
        write_atomic(embed, text.encode())
    if show:
        Console(highlight=False, soft_wrap=True).print(paths[0].read_text(), markup=False)
    typer.echo("\n".join(_shown(path) for path in paths))


@app.command()
def status(suite: SuiteName) -> None:
    """Say which runs of a suite are done, running, failed, stale or missing, and the time left."""
    from rich.console import Console

    from bench.plan import present_checksums
    from bench.report.status import status_lines

    console, loaded = Console(highlight=False, soft_wrap=True), _load(suite)
    for line in status_lines(loaded, _store(repair=False), present_checksums(loaded)):
        console.print(line, markup=False)


@app.command()
def models(
    convert: Annotated[
        Path | None, typer.Option(help="A published MedMamba checkpoint to check and convert.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Where to write it; default beside it, as .safetensors.")
    ] = None,
) -> None:
    """List the suite's own roster; any other name that timm knows works in a suite too."""
    from bench.models import families

    if convert is not None:
        if not convert.is_file():
            raise InputError("no such file", remedy="give a checkpoint's path", key="--convert")
        _convert(convert, output or convert.with_suffix(".safetensors"))
        return
    for name, family in families().items():
        typer.echo(f"{name:42} {family}")


@app.command()
def data(
    name: Annotated[str, typer.Argument(help="A data set; without one, list them all.")] = "",
    source_size: Annotated[int, typer.Option(help="Native size: 28, 64, 128 or 224.")] = 28,
) -> None:
    """List the data sets, or load one (it is downloaded if need be) and say what is in it."""
    from bench.data import catalog
    from bench.specs import DatasetSpec

    for known in [] if name else catalog.names():
        info = catalog.check(DatasetSpec(name=known), source_size)
        counts = " + ".join(str(info.counts[split]) for split in ("train", "val", "test"))
        typer.echo(f"{known:16} {info.num_classes:3} classes  {counts:>24}  {info.task}")
    if name:
        loaded = catalog.load(DatasetSpec(name=name), source_size)
        source = loaded.source
        typer.echo(f"{name}: {loaded.task}; classes: {', '.join(loaded.class_names)}")
        sizes = f"{len(loaded.train)} train, {len(loaded.val)} val, {len(loaded.test)} test"
        side = f"{loaded.source_size} × {loaded.source_size} × {loaded.channels}"
        typer.echo(f"{sizes} images of {side}")
        typer.echo(f"from {source.path}, {source.checksum}, official: {source.official}")
        typer.echo(f"labels stay under: {', '.join(sorted(loaded.label_preserving)) or 'nothing'}")


@app.command()
def race(
    names: Annotated[
        list[str] | None, typer.Argument(help="Files in suites/races/, or paths; default all.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Time models against their rivals, in turn in one process; ratios and floors (make bench)."""
    from rich.console import Console

    from bench.race.file import known_races, load_races
    from bench.report.races import race_page, write_race_page

    files = [load_races(name) for name in names or known_races()]
    store = _store(repair=not dry_run)
    if dry_run:
        from bench.race.contenders import check

        for name, file in files:
            check(file.contenders)
            count = len(file.race) + len(file.scaling) + len(file.memory)
            typer.echo(f"{name}: {count} races on {file.device}, {file.threads} threads")
        return
    from bench.console import CostScreen
    from bench.race.measuring import measure_file
    from bench.race.run import is_here

    if not names:
        for name, file in files:
            if not is_here(file):
                typer.echo(f"{name}: not measured here, there is no CUDA device", err=True)
        files = [(name, file) for name, file in files if is_here(file)]
    with CostScreen() as screen:
        made = [measure_file(name, file, store.root, screen.show) for name, file in files]
    Console(highlight=False, soft_wrap=True).print(race_page(made), markup=False)
    typer.echo(_shown(write_race_page(store.root)))
    if any(record.missed for record in made):
        raise typer.Exit(1)


@app.command()
def search(
    name: Annotated[str, typer.Argument(help="A file in suites/search/, or a path to one.")],
    dry_run: DryRun = False,
    refresh: Refresh = False,
) -> None:
    """Try models and protocols on validation alone, draw reports/search.md; opens no test split."""
    from bench.console import CostScreen, out
    from bench.report.search import write_search_page
    from bench.search.file import load_search
    from bench.search.running import check_models, load_data, pending, run_trials

    loaded = load_search(name)
    store = _store(repair=not dry_run)
    data = load_data(loaded)
    todo = pending(loaded, data, store.root, refresh=refresh)
    total = len(loaded.specs({name: d.source.checksum for name, d in data.items()}))
    if dry_run:
        out.print(f"{loaded.name}: {total} trials, {len(todo)} to do.")
        return
    check_models(loaded)
    with CostScreen() as screen:

        def tell(trial: Trial) -> None:
            val = trial.result.val.auc_present if trial.result else None
            said = f"val AUC {val:.3f}" if val is not None else trial.reason
            out.print(f"{trial.id}  {trial.spec.label}: {said}", markup=False)

        statuses = run_trials(loaded, data, todo, store.root, screen.show, tell)
    kept = total - len(todo)
    summary = "".join(f", {count} {status}" for status, count in sorted(statuses.items()))
    out.print(f"{loaded.name}: {kept} kept{summary}.")
    typer.echo(_shown(write_search_page(store.root)))
    if statuses["done"] < len(todo):
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a record (results/schema.json holds it)."""
    import json

    from bench.records.schema import Record

    typer.echo(json.dumps(Record.model_json_schema(), indent=1))


def _convert(path: Path, output: Path) -> None:
    from baselines.convert import read_published, write_converted

    if output.suffix != ".safetensors":
        raise InputError(
            f"{output.name!r} does not end in .safetensors",
            remedy="timm tells the form of weights by the ending",
            key="--output",
        )
    if output.exists():
        raise InputError(
            "exists already", remedy="name another with --output", file=str(output), key="--output"
        )
    try:
        published = read_published(path)
        write_converted(published, output)
    except (ValueError, OSError) as error:
        raise InputError(
            str(error), remedy="give a checkpoint of MedMamba T, S or B", file=str(path)
        ) from None
    typer.echo(f"{path}: a {published.name} of {published.num_classes} classes, every name fits.")
    typer.echo(f"{output}: load it with timm.create_model({published.name!r}, checkpoint_path=…).")


def _load(suite: str) -> Suite:
    from bench.suite import load_suite

    return load_suite(suite)


def _store(*, repair: bool) -> Store:
    from bench.records.store import Store
    from bench.toml_file import ROOT

    root = os.environ.get("BENCH_RESULTS")
    store = Store(Path(root).expanduser().resolve() if root else ROOT / "results", repair=repair)
    store.check(writable=repair)
    return store


def _plan(name: str, only: str, *, dry_run: bool) -> tuple[Plan, Store]:
    """Everything a suite says is checked, models too, before anything is written."""
    from bench.plan import check_data, check_models, make_plan

    suite = _load(name)
    cells = suite.only(_parse_only(only))
    check_data(suite, cells)
    store = _store(repair=not dry_run)
    plan = make_plan(suite, cells, download=not dry_run)
    open_runs = {run.model.name: run.model for run in plan.runs if not store.path(run.id).exists()}
    check_models(suite, open_runs.values())
    return plan, store


def _parse_only(text: str) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, equals, value = part.partition("=")
        if key not in ONLY_KEYS:
            raise InputError(f"unknown key {key!r}", remedy=nearest(key, ONLY_KEYS), key="--only")
        if not equals or not value:
            raise InputError(f"{part!r} has no value", remedy=f"write {key}=VALUE", key="--only")
        wanted.setdefault(key, set()).add(value)
    if text.strip() and not wanted:
        raise InputError(f"{text!r} names nothing", remedy="write KEY=VALUE", key="--only")
    return wanted


def _refuse_if_nothing_to_train_on(plan: Plan) -> None:
    from bench.console import err

    for line in plan.unavailable.values():
        err.print(line, markup=False)
    if not plan.datasets:
        raise InputError(
            "none of the suite's data sets can be had here",
            remedy="see the lines above; nothing was written",
            file=_shown(plan.suite.path),
        )


def _warn_of_damage(store: Store) -> None:
    for path, problem in store.set_aside.items():
        typer.echo(f"{_shown(path)}: damaged record set aside as .damaged: {problem}", err=True)


def _shown(path: Path) -> str:
    from bench.toml_file import shown

    return shown(path)


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    run_to_exit(app)
