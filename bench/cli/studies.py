"""Commands that study the harness and the practice: control, study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DryRun, Refresh, open_store, shown

if TYPE_CHECKING:
    from bench.study.record import StudyRecord


def control(
    file: Annotated[
        Path | None, typer.Option(help="Other expectations than suites/control/expected.toml.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default reports/.")
    ] = None,
) -> None:
    """Can a planted effect be seen, how small a one, which cues are used? reports/control.md."""
    from bench.report.control.file import EXPECTED
    from bench.report.control.page import judge, write_control_page

    root, path = open_store(repair=False).root, file or EXPECTED
    written = write_control_page(root, path, output)
    judged = judge(root, path)
    for one in judged:
        said = "held" if one.held else "NOT HELD"
        typer.echo(f"{one.label}: expected {one.expected}, found {one.found}: {said}")
    held = sum(one.held for one in judged)
    typer.echo(f"{held} of {len(judged)} expectations held.")
    typer.echo(shown(written))
    if held < len(judged):
        raise typer.Exit(1)


def study(
    name: Annotated[str, typer.Argument(help="A file in suites/studies/, or a path to one.")],
    dry_run: DryRun = False,
    refresh: Refresh = False,
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw the page from the records there are.")
    ] = False,
) -> None:
    """What choosing on the test split adds to a score; draw reports/selection.md."""
    from bench.console import CostScreen, out
    from bench.report.selection import write_selection_page
    from bench.study.file import load_study
    from bench.study.running import check_models, load_data, pending, run_study

    loaded = load_study(name)
    store = open_store(repair=not dry_run and not draw)
    if draw:
        typer.echo(shown(write_selection_page(store.root, loaded)))
        return
    check_models(loaded)
    data = load_data(loaded)
    todo = pending(loaded, data, store.root, refresh=refresh)
    if dry_run:
        for spec in todo:
            out.print(spec.label, markup=False)
        out.print(f"{loaded.name}: {loaded.size} trainings, {len(todo)} to do.")
        return
    with CostScreen() as screen:

        def tell(record: StudyRecord) -> None:
            said = record.reason or f"validation chose epoch {_chosen(record)}"
            out.print(f"{record.id}  {record.spec.label}: {said}", markup=False)

        statuses = run_study(loaded, data, todo, store.root, screen.show, tell, refresh=refresh)
    kept = loaded.size - len(todo)
    summary = "".join(f", {count} {status}" for status, count in sorted(statuses.items()))
    out.print(f"{loaded.name}: {kept} kept{summary}.")
    typer.echo(shown(write_selection_page(store.root, loaded)))
    if statuses["done"] < len(todo):
        raise typer.Exit(1)


def _chosen(record: StudyRecord) -> int | None:
    return None if record.looked_at is None else record.looked_at.validation_chose
