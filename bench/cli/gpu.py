"""Commands for a GPU that is at hand for minutes: gpu (make gpu, make gpu-pack), kernels."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli.options import DryRun, open_store, shown
from bench.errors import InputError

if TYPE_CHECKING:
    from bench.gpu.file import GpuFile

Device = Annotated[
    Literal["auto", "cpu"],
    typer.Option(help="cpu: a rehearsal, in a results folder of its own."),
]


def gpu(
    archives: Annotated[
        list[Path] | None, typer.Argument(help="With --merge: archives that earlier calls left.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.5, help="The whole call takes at most.")] = 9.0,
    archive: Annotated[
        Path | None, typer.Option(help="What the call made goes there; default .gpu/gpu-….tar.gz.")
    ] = None,
    device: Device = "auto",
    steps: Annotated[
        Path | None, typer.Option(help="Other steps than those of suites/gpu/steps.toml.")
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Add the records of ARCHIVES to the results, by id.")
    ] = False,
    pack: Annotated[
        bool, typer.Option("--pack", help="Prepare .gpu/ for a machine without a network.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Use a GPU for some minutes: kernels, costs, races, trainings; goes on in the next call."""
    from bench.gpu.file import REHEARSAL, STEPS, load_steps

    if merge and pack:
        raise InputError("it packs or merges, not both", remedy="leave one out", key="--merge")
    if merge:
        _merge(archives or [], dry_run=dry_run)
        return
    if archives:
        raise InputError("archives are merged", remedy="add --merge", key="ARCHIVES")
    if pack:
        _pack(dry_run=dry_run)
        return
    file = load_steps(steps or (REHEARSAL if device == "cpu" else STEPS))
    if dry_run:
        _print_plan(file, minutes)
        return
    _call(file, minutes, archive, device)


def kernels(
    select: Annotated[
        str | None, typer.Option(help="Only tests that pytest's -k chooses by this.")
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Not where all passed already, here and by this code.")
    ] = False,
) -> None:
    """Run the tests of the selective scan's GPU kernels on this machine and keep the outcome."""
    from bench.gpu.kernels import check_kernels, kept_check
    from bench.gpu.machine import find_machine

    store, found = open_store(repair=False), find_machine("either")
    check = kept_check(found, select, store.root) if missing else None
    kept = "" if check is None else "; kept, not run again"
    if check is None:
        check = check_kernels(found, select, store.root)
    for test in check.tests:
        if test.outcome != "passed":
            typer.echo(f"{test.name}: {test.outcome}: {test.why}")
    typer.echo(f"kernels: {check.summary}{kept}")
    if not check.passed:
        raise typer.Exit(1)


def _call(
    file: GpuFile, minutes: float, archive: Path | None, device: Literal["auto", "cpu"]
) -> None:
    from bench.gpu.calling import Calling, table
    from bench.gpu.machine import find_machine
    from bench.packed import FOLDER
    from bench.report.table.markdown import markdown

    machine = find_machine(device)
    rehearsal = machine.device == "cpu"
    results = open_store(repair=True).root
    if rehearsal:
        results /= "fresh-gpu-rehearsal"
    place = archive or FOLDER / f"gpu-{datetime.now():%Y%m%d-%H%M%S}.tar.gz"
    calling = Calling(machine, results, place, minutes, rehearsal=rehearsal)
    _say(f"{machine.device_name}, torch {machine.torch}, at most {minutes:g} min.")
    call = calling.do(
        file,
        lambda step, limit: _say(f"{step.name}: {step.about} (at most {limit:.0f} s)"),
        lambda came: _say(f"{came.name}: {came.ending} after {came.seconds:.0f} s: {came.said}"),
    )
    _say("\n" + markdown(table(call)))
    for step in call.steps:
        if step.ending not in ("done", "with faults"):
            _say(f"left: python -m bench {shlex.join(step.words)}")
    for path in calling.archives:
        _say(f"{shown(path)}: {path.stat().st_size / 2**20:.2f} MiB")
    if any(step.ending in ("with faults", "failed") for step in call.steps):
        raise typer.Exit(1)


def _say(text: str) -> None:
    from bench.console import out

    out.print(text, markup=False)


def _print_plan(file: GpuFile, minutes: float) -> None:
    from bench.gpu.budget import limit_s
    from bench.gpu.calling import CLOSING_S

    left = minutes * 60 - CLOSING_S
    for number, step in enumerate(file.step):
        limit = limit_s(file.step[number:], left)
        left -= limit or 0.0
        allowed = "left for a later call" if limit is None else f"at most {limit:.0f} s"
        typer.echo(f"{step.name}: python -m bench {shlex.join(step.words)}: {allowed}")
    typer.echo(
        f"{len(file.step)} steps in {minutes:g} min, if each uses all of its time; "
        "what one does not use goes to those after it."
    )


def _merge(archives: list[Path], *, dry_run: bool) -> None:
    from bench.gpu.merge import merge

    if not archives:
        raise InputError("no archive is named", remedy="name some", key="ARCHIVES")
    store = open_store(repair=not dry_run)
    merged = merge(archives, store.root, dry_run=dry_run)
    for sentence in merged.refused:
        typer.echo(sentence, err=True)
    typer.echo(
        f"{len(merged.added)} added to {shown(store.root)}, {len(merged.known)} there already, "
        f"{len(merged.refused)} refused."
    )
    if merged.refused:
        raise typer.Exit(1)


def _pack(*, dry_run: bool) -> None:
    from bench.gpu.pack import load_pack, pack, run_command
    from bench.packed import FOLDER

    file = load_pack()
    if dry_run:
        typer.echo(f"{len(file.packages) + len(file.pure)} wheels, {len(file.datasets)} data sets")
        typer.echo(run_command(file))
        return
    done = pack(file)
    parts = {"wheels": done.wheels, "data": done.data, "tree": done.tree}
    told = ", ".join(f"{name} {size / 2**20:.1f}" for name, size in parts.items())
    typer.echo(f"{shown(FOLDER)} is ready: {told}; {sum(parts.values()) / 2**20:.1f} MiB in all.")
    typer.echo(f"Take {shown(FOLDER)} along with the tree, and run in its root, with OUT a folder:")
    typer.echo(done.command)
