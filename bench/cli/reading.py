"""Commands that read records out: explain."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options import open_store


def explain(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="A record's id, or the beginning of it.")
    ],
) -> None:
    """One run in words: its result, what decided it, what it rests on, how to make it again."""
    from bench.report.explain import explain as lines_of
    from bench.report.explain import find

    store = open_store(repair=False)
    for line in lines_of(store, find(store, identity)):
        typer.echo(line)
