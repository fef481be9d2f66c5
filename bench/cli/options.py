"""What several commands take, and the store they all work on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import InputError, nearest

if TYPE_CHECKING:
    from bench.records.store import Store

ONLY_KEYS = ("model", "dataset", "seed", "control")

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

Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Do N runs at once, each in a process of its own; no result depends on it.",
    ),
]
PerGpu = Annotated[
    int | None,
    typer.Option(
        "--per-gpu", min=1, metavar="K", help="Let K workers share a GPU (without it, one)."
    ),
]
CheckpointEvery = Annotated[
    float,
    typer.Option(min=0.0, metavar="SECONDS", help="Of training, which a kill may lose at most."),
]
Stream = Annotated[
    bool,
    typer.Option(
        "--stream",
        help="Read images from disk batch by batch: for data larger than memory. "
        "The results are the same, to the last bit on a CPU.",
    ),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Also write learning curves for TensorBoard there."),
]


def open_store(*, repair: bool) -> Store:
    """The results folder (``BENCH_RESULTS``, or the project's own).

    Raises:
        InputError: it cannot be read, or with ``repair`` not be written.
    """
    from bench.records.store import Store
    from bench.toml_file import ROOT

    root = os.environ.get("BENCH_RESULTS")
    store = Store(Path(root).expanduser().resolve() if root else ROOT / "results", repair=repair)
    store.check(writable=repair)
    return store


def shown(path: Path) -> str:
    """A path as people read it."""
    from bench.toml_file import shown

    return shown(path)


def parse_only(text: str) -> dict[str, set[str]]:
    """What ``--only`` names, by key.

    Raises:
        InputError: an unknown key, or one without a value.
    """
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


def warn_of_damage(store: Store) -> None:
    """One line for each damaged record that was moved out of the way."""
    for path, problem in store.set_aside.items():
        typer.echo(f"{shown(path)}: damaged record set aside as .damaged: {problem}", err=True)
