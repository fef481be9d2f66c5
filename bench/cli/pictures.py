"""Commands that draw a suite's figures and its page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import SuiteName, open_store, shown


def figures(
    suite: SuiteName,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default reports/SUITE/figures.")
    ] = None,
) -> None:
    """Draw the suite's figures from its records and stored predictions; trains nothing."""
    from bench.plan import present_checksums
    from bench.report.figures.draw import FOLDER, plan_figures, write_figures
    from bench.report.tables import own_folder, with_predictions
    from bench.staleness import Staleness
    from bench.suite import load_suite

    loaded = load_suite(suite)
    store, checksums = open_store(repair=False), present_checksums(loaded)
    folder = output if output is not None else own_folder(loaded, store.root) / FOLDER
    records = with_predictions(loaded, store, checksums)
    plans = plan_figures(loaded, records, store, checksums, Staleness.load(store.root))
    for path in write_figures(plans, folder):
        typer.echo(shown(path))
    for missing in plans.lacking:
        made = f"; {missing.remedy}" if missing.remedy else ""
        typer.echo(f"not drawn: {missing.title}: {missing.why}{made}", err=True)


def page(
    suite: SuiteName,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default reports/SUITE.")
    ] = None,
) -> None:
    """Draw the suite's page, one HTML file that needs nothing else: verdicts, tables, figures."""
    from bench.plan import present_checksums
    from bench.report.page.write import write_page
    from bench.report.tables import own_folder, with_predictions
    from bench.staleness import Staleness
    from bench.suite import load_suite

    loaded = load_suite(suite)
    store, checksums = open_store(repair=False), present_checksums(loaded)
    folder = output if output is not None else own_folder(loaded, store.root)
    records = with_predictions(loaded, store, checksums)
    known = Staleness.load(store.root)
    typer.echo(shown(write_page(loaded, records, store, folder, checksums, known)))
