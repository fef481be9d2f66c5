"""Commands that read records out: explain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import open_store

if TYPE_CHECKING:
    from bench.records.store import Store
    from bench.report.explain.find import Found


def explain(
    identity: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A record's id or its beginning, a race's name, or a record's file."
        ),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Also score its stored predictions anew.")
    ] = False,
) -> None:
    """One record in words: its result, what it rests on, what rests on it, how to make it again."""
    from bench.report.explain.find import find

    store = open_store(repair=False)
    found = find(store, identity)
    for line in _lines(store, found):
        typer.echo(line)
    if check:
        _check(store, found)


def _lines(store: Store, found: Found) -> Iterable[str]:
    from bench.race.record import RaceRecord
    from bench.records.schema import Record
    from bench.report.explain.others import explain_race, explain_study, explain_trial
    from bench.report.explain.record import explain as explain_record
    from bench.search.record import Trial

    match found:
        case Record():
            return explain_record(store, found)
        case Trial():
            return explain_trial(store.root, found)
        case RaceRecord():
            return explain_race(found)
        case _:
            return explain_study(store.root, found)


def _check(store: Store, found: Found) -> None:
    """Hold a training against its predictions, and its choice of epoch against its curve."""
    from bench.errors import InputError
    from bench.records.schema import Record
    from bench.search.record import Trial
    from bench.verify.runs import check_run, check_trial

    if isinstance(found, Record) and found.training is not None:
        findings = check_run(found, store, "labels are compared by `verify`")
    elif isinstance(found, Trial) and found.result is not None:
        findings = check_trial(found, store)
    else:
        raise InputError(
            "only a finished training or trial keeps what can be computed anew",
            remedy="leave it out",
            key="--check",
        )
    for finding in findings:
        typer.echo(str(finding), err=True)
    held = "does NOT hold" if findings else "holds to the last digit"
    typer.echo(f"check: what is stored {held}")
    if findings:
        raise typer.Exit(1)
