"""The gate's command: is the working tree worse than a baseline?"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import open_store, shown
from bench.errors import InputError, nearest, one_line

if TYPE_CHECKING:
    from bench.regress.file import GateFile
    from bench.regress.history import Revision
    from bench.regress.record import GateReport
    from bench.regress.tree import Tree


def regress(
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="A git revision, a folder of code, a results folder, or an archive by --export.",
        ),
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0.1, metavar="MINUTES", help="After which nothing is added.")
    ] = None,
    only: Annotated[
        str, typer.Option(metavar="PART,…", help="exact, checks, accuracy, run-time, processes.")
    ] = "",
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A regression you know of and want; * matches any."),
    ] = None,
    gate: Annotated[
        Path | None, typer.Option(help="What is judged; default suites/regress/gate.toml.")
    ] = None,
    repository: Annotated[
        Path | None, typer.Option(help="The working tree; default this checkout.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default reports/.")
    ] = None,
    package: Annotated[
        str | None,
        typer.Option("--import", metavar="PACKAGE", help="Of another repository: its package."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Of that package; the first is timed and trained.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only pack the working tree as a baseline.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Also keep the result in results/history/.")
    ] = False,
    trial: Annotated[
        bool, typer.Option("--trial", help="Put the gate on trial, from where it stopped.")
    ] = False,
    untimed: Annotated[
        bool, typer.Option("--untimed", help="Of the trial: what needs no quiet machine.")
    ] = False,
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw reports/regress.md and history.md, .html.")
    ] = False,
) -> None:
    """Judge the working tree against a baseline: cost, accuracy, run time; reports/regression.md.

    Ends with 0 no regression, 1 regression, 2 unusable input, nothing measured or data missing, 3
    the baseline is of another machine and one of this is needed, 4 too noisy to tell within the
    budget.
    """
    from bench.regress.file import GateFile, gate_path
    from bench.regress.tree import working_tree
    from bench.report.folder import reports_folder
    from bench.report.regress.page import remove_report
    from bench.toml_file import ROOT, read_toml

    root = open_store(repair=False).root
    if trial or draw:
        _trial(root, run=trial, timed=not untimed)
        return
    folder = output or reports_folder(root)
    if export is None:
        remove_report(folder)  # of an earlier run: never to be taken for this one's
    file = read_toml(gate_path(gate), GateFile)
    if package is not None or model:
        file = _own(file, package, model)
    place = (repository or ROOT).resolve()
    tree = working_tree(place, file.packages)
    if export is not None:
        _export(tree, file, export)
        return
    if not baseline:  # an empty one would be the folder at hand: the working tree itself
        raise InputError(
            "nothing to compare with",
            remedy="give a git revision: HEAD, main, …",
            key="--baseline",
        )
    parts = _parts(only)
    if record and (tree.changed or tree.commit is None):
        raise InputError(
            "only a commit can be recorded, and the working tree differs from its own",
            remedy="commit first",
            key="--record",
        )
    os.environ["BENCH_CACHE"] = ""  # nothing prepared by other code is taken up
    from rich.console import Console

    from bench.regress.history import revision_of, save
    from bench.report.regress.page import gate_page, write_report
    from bench.report.regress.trends import write_trends

    report = _judged(baseline, place, file, tree, parts, budget, accept or (), folder)
    Console(highlight=False, soft_wrap=True).print(gate_page(report), markup=False)
    for line in _of_no_use(accept or (), report):
        typer.echo(line, err=True)
    for path in write_report(report, folder):
        typer.echo(shown(path))
    if record:
        typer.echo(shown(save(revision_of(report, place), root)))
        for path in write_trends(root):
            typer.echo(shown(path))
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _judged(
    baseline: str,
    place: Path,
    file: GateFile,
    tree: Tree,
    parts: list[str],
    budget: float | None,
    accept: Sequence[str],
    folder: Path,
) -> GateReport:
    """What the gate found; the report's folder is made before minutes are spent, and no sooner.

    Raises:
        InputError: the baseline cannot be used, or the gate breaks off: Python would end with 1,
            which stands for a regression.
    """
    try:
        from bench.console import CostScreen
        from bench.regress.gate import Gate

        with CostScreen() as screen, _opened(baseline, place, file) as opened:
            _make(folder)
            gate = Gate(
                file,
                tree,
                opened,
                parts=parts,
                budget_minutes=budget,
                accept=accept,
                on_progress=screen.show,
            )
            return gate.run()
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # of the trees' code, which runs in this process too
        raise InputError(
            f"the gate broke off: {type(error).__name__}: {one_line(error)}",
            remedy="python -m bench --debug regress shows where; nothing was judged",
        ) from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"no report can be written to {shown(folder)}: {error.strerror}",
            remedy="choose another folder",
            key="--output",
        ) from None


@contextmanager
def _opened(baseline: str, place: Path, file: GateFile) -> Iterator[Tree | Revision]:
    """The baseline's code, or where a results folder is named the newest record in it."""
    from bench.regress.history import FOLDER, load_all
    from bench.regress.tree import baseline_tree, has_package

    folder = Path(baseline)
    if folder.is_dir() and not has_package(folder, file.imports[0]):
        revisions = load_all(folder)
        if not revisions:
            raise InputError(
                f"has neither the package {file.imports[0]!r} nor a record in {FOLDER}/",
                remedy="`python -m bench regress --baseline REF --record` makes a record",
                file=baseline,
                key="--baseline",
            )
        yield revisions[-1]
        return
    with baseline_tree(baseline, place, file.packages, file.imports) as tree:
        yield tree


def _parts(only: str) -> list[str]:
    from bench.regress.parts import PARTS

    asked = [part.strip() for part in only.split(",") if part.strip()]
    for part in asked:
        if part not in PARTS:
            raise InputError(f"no part {part!r}", remedy=nearest(part, PARTS), key="--only")
    if only and not asked:
        raise InputError("names no part", remedy=f"give some of {', '.join(PARTS)}", key="--only")
    return asked or list(PARTS)


def _of_no_use(accept: Sequence[str], report: GateReport) -> Iterator[str]:
    """A line for each pattern that no finding has: a slip, or long done with."""
    names = [finding.name for finding in report.findings]
    for pattern in accept:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            yield f"--accept {pattern}: nothing found is called so; {nearest(pattern, names)}"


def _own(file: GateFile, package: str | None, models: list[str] | None) -> GateFile:
    from bench.regress.file import for_own

    if package is None or not models:
        raise InputError(
            "own models need both the package and a name",
            remedy="give --import PACKAGE --model NAME",
            key="--model" if package else "--import",
        )
    return for_own(file, package, models)


def _trial(root: Path, *, run: bool, timed: bool) -> None:
    """The trial, if asked for, and all pages that are drawn from stored records."""
    from bench.report.regress.trends import write_trends
    from bench.report.regress.trial_page import passed, write_trial_page

    record = None
    if run:
        from bench.console import CostScreen
        from bench.regress.file import GATE, GateFile
        from bench.regress.trial import try_gate
        from bench.regress.trial_file import TRIAL, TrialFile
        from bench.toml_file import read_toml

        os.environ["BENCH_CACHE"] = ""
        files = read_toml(TRIAL, TrialFile), read_toml(GATE, GateFile)
        with CostScreen() as screen:
            record = try_gate(*files, root, screen.show, timed=timed)
    for path in (write_trial_page(root), *write_trends(root)):
        typer.echo(shown(path))
    if record is not None and not passed(record):
        raise typer.Exit(1)


def _export(tree: Tree, file: GateFile, to: Path) -> None:
    from bench.regress.archive import export
    from bench.regress.tree import laid_out

    names = [name for name in laid_out(file.packages) if (tree.folder / name).exists()]
    count = export(tree.folder, names, tree.commit, tree.changed, to)
    typer.echo(f"{shown(to)}: {count} files of the {tree.label}")
