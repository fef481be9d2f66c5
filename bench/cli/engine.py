"""Commands on the training engine: its trial, and whether changed code gives the same bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DryRun, open_store, shown
from bench.errors import InputError, nearest

if TYPE_CHECKING:
    from bench.data.dataset import Dataset
    from bench.specs import DatasetSpec, RunSpec
    from bench.suite import Suite


def engine(
    parts: Annotated[
        list[str] | None, typer.Argument(help="feeding, overhead, resume, chaos; default all.")
    ] = None,
    kills: Annotated[int, typer.Option(min=1, help="Of the part chaos.")] = 10,
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw the page from the records there are.")
    ] = False,
) -> None:
    """Put the training engine on trial: its speed, its overhead, kills; reports/engine.md."""
    from bench.console import CostScreen, out
    from bench.engine.trial import PARTS, try_engine
    from bench.report.engine import engine_page, passed, write_engine_page

    chosen = [part for part in PARTS if not parts or part in parts]
    for part in parts or []:
        if part not in PARTS:
            raise InputError(f"no part {part!r}", remedy=nearest(part, PARTS), key="PARTS")
    store, missed = open_store(repair=False), False
    if not draw:
        from bench.engine.file import ENGINE, EngineFile
        from bench.toml_file import read_toml

        file = read_toml(ENGINE, EngineFile)
        for part in chosen:
            with CostScreen() as screen:
                record = try_engine(part, file, store.root, screen.show, kills=kills)
            missed = missed or not passed(record)
            out.print(engine_page({part: record}), markup=False)
    typer.echo(shown(write_engine_page(store.root)))
    if missed:
        raise typer.Exit(1)


def recheck(
    suites: Annotated[
        list[str] | None, typer.Argument(help="Suites whose stale runs count; default all.")
    ] = None,
    trials: Annotated[
        bool, typer.Option("--trials", help="Also the trials of searches (default without SUITES).")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Make one stale run of each kind anew; where no bit changed, its like are stale no more."""
    from bench.console import CostScreen, out
    from bench.plan import present_checksums
    from bench.recheck import Finding, recheck, stale_ones
    from bench.report.collect import collect
    from bench.search.record import load_all
    from bench.staleness import Staleness
    from bench.suite import load_suite

    store = open_store(repair=False)
    known, records = Staleness.load(store.root), store.all()
    chosen = [load_suite(name) for name in suites or []]
    wanted = {
        record.id
        for suite in chosen
        for record in collect(suite, records, present_checksums(suite)).records
    }
    found = [record for record in records if not chosen or record.id in wanted]
    tried = [*load_all(store.root).values()] if trials or not chosen else []
    stale = stale_ones([*found, *tried], known)
    groups = len({one.group for one in stale})
    out.print(f"{len(stale)} stale runs and trials, of {groups} kinds.")
    if dry_run or not stale:
        return

    def tell(finding: Finding) -> None:
        label, count = finding.stale.spec.label, finding.stands_for
        if finding.difference is None:
            out.print(f"{label}: every bit is equal; {count} are stale no more", markup=False)
        else:
            out.print(f"{label}: {finding.difference}; {count} stay stale", markup=False)

    with CostScreen() as screen:
        findings = recheck(
            stale,
            known,
            store.root,
            lambda spec: _load(spec, chosen),
            screen.show,
            tell,
        )
    if any(finding.difference for finding in findings):
        raise typer.Exit(1)


def _load(spec: RunSpec, suites: list[Suite]) -> Dataset:
    from bench.data import catalog

    try:
        return catalog.load(_described(spec, suites), spec.data.source_size)
    except InputError as error:
        if not suites:
            error.remedy += "; own data is found by its suite: python -m bench recheck SUITE"
        raise


def _described(spec: RunSpec, suites: list[Suite]) -> DatasetSpec:
    """The data of a run as a suite describes it, or as far as the run itself tells."""
    from bench.specs import DatasetSpec

    for suite in suites:
        for data in suite.datasets:
            if data.name == spec.data.name:
                return data
    return DatasetSpec.model_validate({"name": spec.data.name, **spec.data.described})
