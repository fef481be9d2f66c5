"""Commands that hold what is said against the records: claims, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import open_store, shown


def claims(
    file: Annotated[
        Path | None, typer.Option(help="Other claims than those of results/claims.toml.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default reports/.")
    ] = None,
) -> None:
    """Judge each of the paper's claims by the records; draw reports/claims.md and claims.html."""
    from bench.report.claims.file import CLAIMS
    from bench.report.claims.judge import judge_claims
    from bench.report.claims.page import tally, write_claims

    root, path = open_store(repair=False).root, file or CLAIMS
    paths = write_claims(root, path, output)
    audit = judge_claims(root, path)
    for judged in audit.claims:
        typer.echo(f"{judged.claim.id}: {judged.verdict}")
    typer.echo(f"{len(audit.claims)} claims: {tally(audit)}.")
    typer.echo("\n".join(shown(written) for written in paths))


def verify(
    suites: Annotated[
        list[str] | None, typer.Argument(help="Suites to verify; default all that have tables.")
    ] = None,
    reports: Annotated[
        Path | None, typer.Option(help="Folder that holds SUITE/…; default reports/.")
    ] = None,
) -> None:
    """Recompute every score and redraw every table; name each record and cell that moved."""
    from bench.console import CostScreen
    from bench.errors import InputError
    from bench.verify.verify import verify as recompute

    if reports is not None and not reports.is_dir():
        raise InputError("no such folder", remedy="check the path", key="--reports")
    root = open_store(repair=False).root
    with CostScreen() as screen:
        done = recompute(root, suites or [], reports, screen.show)
    for line in done.lines:
        typer.echo(line)
    for reason, runs in sorted(done.unlabelled.items()):
        typer.echo(f"labels of {runs} runs not compared: {reason}")
    for finding in done.findings:
        typer.echo(str(finding), err=True)
    looked_at = ", ".join(f"{count} {what}" for what, count in sorted(done.counts.items()))
    held = f"{len(done.findings)} findings" if done.findings else "all holds"
    typer.echo(f"verified {looked_at or 'nothing'}: {held}.")
    if done.findings:
        raise typer.Exit(1)
