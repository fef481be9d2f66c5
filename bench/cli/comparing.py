"""The command that holds two models against each other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli.options import open_store, shown

if TYPE_CHECKING:
    from bench.report.compare.evidence import Evidence
    from bench.report.compare.words import Part


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A model that records know.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    suite: Annotated[
        str | None, typer.Option(help="Only its trainings; default every suite that holds both.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
    kind: Annotated[
        Literal["md", "json"] | None,
        typer.Option("--format", help="Markdown, or JSON with every number unrounded."),
    ] = None,
) -> None:
    """Which of two models is better, by all that the records hold; the same words as verdicts."""
    from bench.records.store import write_atomic
    from bench.report.compare.as_json import as_json
    from bench.report.compare.page import as_markdown, parts_of

    found = _evidence(first, second, suite)
    if kind is None and output is not None and output.suffix == ".json":
        kind = "json"
    text = as_json(found) if kind == "json" else as_markdown(found)
    if output is not None:
        write_atomic(output, text.encode())
        typer.echo(shown(output))
    elif kind is None and _at_a_terminal():
        _print(parts_of(found))
    else:
        typer.echo(text, nl=False)


def _evidence(first: str, second: str, suite: str | None) -> Evidence:
    from bench.plan import present_checksums
    from bench.race.record import load_all as load_races
    from bench.report.compare.evidence import gather
    from bench.report.compare.names import Kept, resolve_pair
    from bench.report.reading import read_all
    from bench.search.record import load_all as load_trials
    from bench.suite import load_suite, suite_names

    store = open_store(repair=False)
    only = load_suite(suite) if suite is not None else None
    own = [load_suite(name) for name in suite_names()]
    kept = Kept(
        records=read_all(store),
        trials=load_trials(store.root),
        races=load_races(store.root),
        suites=own if only is None else [only, *own],
    )
    return gather(kept, store, resolve_pair(first, second, kept), only, present_checksums)


def _at_a_terminal() -> bool:
    return sys.stdout.isatty()


def _print(parts: list[Part]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.measure import Measurement
    from rich.table import Table

    console = Console(highlight=False)
    for part in parts:
        if isinstance(part, str):
            console.print(Markdown(part))
            console.print()
        elif part:
            columns = list(dict.fromkeys(name for row in part for name in row))
            table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
            for row in part:
                table.add_row(*(row.get(name, "–") for name in columns))
            if Measurement.get(console, console.options, table).maximum < console.width:
                console.print(table)
            else:  # a table that does not fit would be cut off: a line a row
                lines = (" · ".join(f"{k}: {v}" for k, v in row.items()) for row in part)
                console.print("\n".join(lines), "", sep="\n", markup=False)
