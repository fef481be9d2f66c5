"""Commands for clusters: a suite as a Slurm array, and the trial of the Ray engine."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options import (
    CheckpointEvery,
    DryRun,
    Only,
    Refresh,
    Stream,
    SuiteName,
    open_store,
    parse_only,
    shown,
)
from bench.errors import InputError, nearest

AT_ONCE = 64  # tasks of Slurm at the same time, unless it is said


def submit(
    suite: SuiteName,
    slurm: Annotated[
        bool, typer.Option("--slurm", help="Submit a job array to the Slurm of this machine.")
    ] = False,
    local: Annotated[
        bool,
        typer.Option("--local", help="Start the array's tasks here, all at once: to try it out."),
    ] = False,
    only: Only = "",
    partition: Annotated[str | None, typer.Option(metavar="NAME", help="Slurm's.")] = None,
    minutes: Annotated[
        int, typer.Option(min=2, help="A task may take; then it is requeued and goes on.")
    ] = 240,
    at_once: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Slurm's tasks at the same time (64).")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(min=0.1, metavar="GiB", help="Main memory of a task.")
    ] = None,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A further option of sbatch; may be repeated."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until every task has ended, and say how.")
    ] = False,
    dry_run: DryRun = False,
    refresh: Refresh = False,
    checkpoint_every: CheckpointEvery = 30.0,
    stream: Stream = False,
) -> None:
    """Hand what is not trained yet to Slurm, one array task a run; the results folder is shared."""
    from bench.cli.suites import plan_suite, refuse_if_nothing_to_train_on
    from bench.cluster.connect import check_installed
    from bench.cluster.order import expected_time, longest_first
    from bench.cluster.slurm import Asked
    from bench.cluster.slurm import submit as submit_array
    from bench.cluster.waiting import wait_for
    from bench.console import out, print_work
    from bench.execution.estimate import Estimator
    from bench.execution.pending import pending
    from bench.run.options import RunOptions

    if slurm == local:
        raise InputError("it must be said where", remedy="give --slurm or --local", key="submit")
    if local:
        _refuse_slurms(partition=partition, at_once=at_once, memory=memory, sbatch=sbatch)
    check_installed("submitit", "submit")
    more = tuple(_key_value(text) for text in sbatch or [])
    plan, store = plan_suite(suite, only, dry_run=dry_run, stream=stream)
    estimator = Estimator(store.readable()[0])
    images = {name: len(data.train) for name, data in plan.datasets.items()}
    expected = expected_time(estimator, images)
    todo = longest_first(pending(plan, store, refresh=refresh), expected)
    if dry_run or not todo:
        print_work(plan, todo, estimator, at_once or AT_ONCE)
        return
    refuse_if_nothing_to_train_on(plan)
    jobs = submit_array(
        plan,
        todo,
        store,
        Asked(minutes, at_once or AT_ONCE, partition, memory, more),
        refresh=refresh,
        options=RunOptions(checkpoint_every_s=checkpoint_every, stream=stream),
        local=local,
    )
    arrays = sorted({str(job.job_id).partition("_")[0] for job in jobs})
    out.print(
        f"{plan.suite.name}: {len(jobs)} runs submitted as {', '.join(arrays[:4])}"
        f"{' …' if len(arrays) > 4 else ''}; python -m bench status {plan.suite.reference}",
        markup=False,
    )
    if wait:
        at_hand = [spec for spec in todo if spec.data.name not in plan.unavailable]
        failed = wait_for(
            jobs, lambda place, said: out.print(f"{at_hand[place].label}: {said}", markup=False)
        )
        if failed or len(jobs) < len(todo):
            raise typer.Exit(1)


def print_estimate(name: str, only: str, hardware: str, *, dry_run: bool) -> None:
    """What ``run --dry-run --hardware`` prints: a suite's cost on some hardware, and its scaling.

    Raises:
        InputError: it is not a dry run, or nothing was recorded on such hardware.
    """
    from bench.cluster.estimates import estimate_suite
    from bench.console import out
    from bench.report.scaling import cost_lines, limit_line, scaling_rows
    from bench.report.table.markdown import markdown
    from bench.suite import load_suite

    if not dry_run:
        raise InputError("it only estimates", remedy="add --dry-run", key="--hardware")
    records = open_store(repair=False).readable()[0]
    suite = load_suite(name)
    estimate = estimate_suite(suite, parse_only(only), records, hardware)
    for line in cost_lines(suite, estimate):
        out.print(line, markup=False)
    if estimate.known:
        out.print(markdown(scaling_rows(estimate)), markup=False)
        out.print(limit_line(estimate), markup=False)


def _refuse_slurms(**options: object) -> None:
    """Options that mean nothing to tasks on this machine, which all start at once."""
    for name, given in options.items():
        if given:
            raise InputError(
                "it is for --slurm: tasks on this machine all start at once",
                remedy="leave it out",
                key=f"--{name.replace('_', '-')}",
            )


def _key_value(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip("- "):
        raise InputError(
            f"{text!r} is no option with a value", remedy="write KEY=VALUE", key="--sbatch"
        )
    return key.strip("- "), value


def cluster(
    parts: Annotated[
        list[str] | None, typer.Argument(help="overhead, throughput, kills; default all.")
    ] = None,
    kills: Annotated[int, typer.Option(min=1, help="Of nodes, in the part kills.")] = 20,
    draw: Annotated[
        bool, typer.Option("--draw", help="Only draw the page from the records there are.")
    ] = False,
) -> None:
    """Put the Ray engine on trial: its overhead, many runs, nodes killed; reports/cluster.md."""
    from bench.cluster.estimates import page_estimates
    from bench.cluster.file import CLUSTER, ClusterFile
    from bench.cluster.record import PARTS
    from bench.console import CostScreen, out
    from bench.report.cluster import cluster_page, passed, write_cluster_page
    from bench.toml_file import read_toml

    for part in parts or []:
        if part not in PARTS:
            raise InputError(f"no part {part!r}", remedy=nearest(part, PARTS), key="PARTS")
    store, missed = open_store(repair=False), False
    if not draw:
        from bench.cluster.connect import check_installed
        from bench.cluster.trial import try_cluster

        check_installed("ray", "cluster")
        file = read_toml(CLUSTER, ClusterFile)
        for part in [part for part in PARTS if not parts or part in parts]:
            with CostScreen() as screen:
                record = try_cluster(part, file, store.root, screen.show, kills=kills)
            missed = missed or not passed(record)
            out.print(cluster_page({part: record}), markup=False)
    estimates = page_estimates(store.readable()[0])
    typer.echo(shown(write_cluster_page(store.root, estimates)))
    if missed:
        raise typer.Exit(1)
