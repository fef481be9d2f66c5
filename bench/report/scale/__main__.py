"""``python -m bench.report.scale [SHAPE …] [--draw]``, which is ``make scale``."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.errors import InputError, nearest
from bench.process import run_to_exit
from bench.report.scale.file import SCALE, ScaleFile
from bench.report.scale.page import passed, scale_page, write_scale_page
from bench.report.scale.record import load, save
from bench.report.scale.trial import measure
from bench.toml_file import ROOT, read_toml, shown

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def scale(
    shapes: Annotated[
        list[str] | None, typer.Argument(help="Of suites/scale/reports.toml; default all.")
    ] = None,
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw the page from the record there is.")
    ] = False,
) -> None:
    """Measure what tables and figures take from many records; results/scale.json, reports/scale.md.

    Some of the shapes alone are only printed: a record is of all of them.
    """
    results, spec = ROOT / "results", read_toml(SCALE, ScaleFile)
    for name in shapes or []:
        if name not in spec.shape:
            raise InputError(
                f"there is no shape {name!r}", remedy=nearest(name, spec.shape), file=shown(SCALE)
            )
    record = load(results) if draw else None
    if not draw:
        record = measure(spec, shapes or [*spec.shape], lambda told, _: typer.echo(told, err=True))
        typer.echo(scale_page(record))
        if not shapes:
            typer.echo(shown(save(record, results)))
    if not shapes:
        typer.echo(shown(write_scale_page(results)))
    if record is not None and not passed(record):
        raise typer.Exit(1)


run_to_exit(app)
