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
