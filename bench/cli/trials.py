"""Commands that compare and choose: race, search; and what can be believed: trust, simulate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DryRun, Refresh, open_store, shown
from bench.errors import InputError

if TYPE_CHECKING:
    from bench.search.record import Trial


def race(
    names: Annotated[
        list[str] | None, typer.Argument(help="Files in suites/races/, or paths; default all.")
    ] = None,
    dry_run: DryRun = False,
    missing: Annotated[
        bool,
        typer.Option("--missing", help="Not those that today's code has made on this machine."),
    ] = False,
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw the page from the races there are.")
    ] = False,
) -> None:
    """Time models against their rivals, in turn in one process; ratios and floors (make bench)."""
    from rich.console import Console

    from bench.race.file import known_races, load_races
    from bench.report.races import race_page, write_race_page

    files = [load_races(name) for name in names or known_races()]
    store = open_store(repair=not dry_run)
    if draw:
        typer.echo(shown(write_race_page(store.root)))
        return
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
    if missing:
        from bench.gpu.kept_race import is_kept

        kept = [name for name, file in files if is_kept(name, file, store.root)]
        for name in kept:
            typer.echo(f"{name}: kept, not raced again")
        files = [(name, file) for name, file in files if name not in kept]
        if not files:
            return
    with CostScreen() as screen:
        made = [measure_file(name, file, store.root, screen.show) for name, file in files]
    Console(highlight=False, soft_wrap=True).print(race_page(made), markup=False)
    typer.echo(shown(write_race_page(store.root)))
    if any(record.missed for record in made):
        raise typer.Exit(1)


def search(
    name: Annotated[str, typer.Argument(help="A file in suites/search/, or a path to one.")],
    dry_run: DryRun = False,
    refresh: Refresh = False,
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw the page from the trials there are.")
    ] = False,
    embed: Annotated[
        Path | None, typer.Option(help="With --draw: put the table between this file's markers.")
    ] = None,
) -> None:
    """Try models and protocols on validation alone, draw reports/search.md; opens no test split."""
    from bench.console import CostScreen, out
    from bench.records.store import write_atomic
    from bench.report.readme import embed_in_file
    from bench.report.search import model_table, write_search_page
    from bench.search.file import load_search
    from bench.search.record import load_all
    from bench.search.running import check_models, load_data, pending, run_trials

    loaded = load_search(name)
    store = open_store(repair=not dry_run)
    if draw:
        if embed is not None:
            table = model_table(loaded, load_all(store.root), store.readable()[0])
            write_atomic(embed, embed_in_file(embed, {loaded.name: lambda: table}).encode())
        typer.echo(shown(write_search_page(store.root)))
        return
    if embed is not None:
        raise InputError("it only draws", remedy="add --draw", key="--embed")
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

        statuses = run_trials(loaded, data, todo, store.root, screen.show, tell, refresh=refresh)
    kept = total - len(todo)
    summary = "".join(f", {count} {status}" for status, count in sorted(statuses.items()))
    out.print(f"{loaded.name}: {kept} kept{summary}.")
    typer.echo(shown(write_search_page(store.root)))
    if statuses["done"] < len(todo):
        raise typer.Exit(1)


def trust(
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw the page from the record there is.")
    ] = False,
) -> None:
    """Put the timer on trial: beside timm's loop, on copies, on a slower copy; reports/trust.md."""
    from rich.console import Console

    from bench.console import CostScreen
    from bench.report.trust import passed, trust_page, write_trust_page
    from bench.toml_file import read_toml
    from bench.trust.file import TIMER, TrustFile
    from bench.trust.record import load

    store = open_store(repair=False)
    record = load(store.root) if draw else None
    if not draw:
        from bench.trust.trial import try_timer

        with CostScreen() as screen:
            record = try_timer(read_toml(TIMER, TrustFile), store.root, screen.show)
        Console(highlight=False, soft_wrap=True).print(trust_page(record), markup=False)
    typer.echo(shown(write_trust_page(store.root)))
    if record is not None and not passed(record):
        raise typer.Exit(1)


def simulate(
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw the page from the record there is.")
    ] = False,
    embed: Annotated[
        Path | None, typer.Option(help="Also put the first table between this file's markers.")
    ] = None,
) -> None:
    """Put the statistics on trial in worlds whose truth is known; reports/statistics.md."""
    from rich.console import Console

    from bench.console import CostScreen
    from bench.records.store import write_atomic
    from bench.report.readme import embed_in_file
    from bench.report.simulations import (
        passed,
        simulation_table,
        simulations_page,
        write_simulations_page,
    )
    from bench.simulate.file import SIMULATIONS, SimulationFile
    from bench.simulate.record import load
    from bench.toml_file import read_toml

    store = open_store(repair=False)
    record = load(store.root) if draw else None
    if not draw:
        from bench.report.analysis_cost import time_analysis
        from bench.simulate.trial import simulate as simulate_all

        file = read_toml(SIMULATIONS, SimulationFile)
        with CostScreen() as screen:
            record = simulate_all(file, store.root, screen.show, time_analysis)
        Console(highlight=False, soft_wrap=True).print(simulations_page(record), markup=False)
    typer.echo(shown(write_simulations_page(store.root)))
    table = simulation_table(record)
    if embed is not None and table is not None:
        write_atomic(embed, embed_in_file(embed, {"simulations": lambda: table}).encode())
    if record is not None and not passed(record):
        raise typer.Exit(1)
