"""Commands for clusters: the trial of the Ray engine."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options import open_store, shown
from bench.errors import InputError, nearest


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
    from bench.cluster.record import PARTS
    from bench.console import CostScreen, out
    from bench.report.cluster import cluster_page, passed, write_cluster_page

    for part in parts or []:
        if part not in PARTS:
            raise InputError(f"no part {part!r}", remedy=nearest(part, PARTS), key="PARTS")
    store, missed = open_store(repair=False), False
    if not draw:
        from bench.cluster.connect import check_installed
        from bench.cluster.file import CLUSTER, ClusterFile
        from bench.cluster.trial import try_cluster
        from bench.toml_file import read_toml

        check_installed("ray", "cluster")
        file = read_toml(CLUSTER, ClusterFile)
        for part in [part for part in PARTS if not parts or part in parts]:
            with CostScreen() as screen:
                record = try_cluster(part, file, store.root, screen.show, kills=kills)
            missed = missed or not passed(record)
            out.print(cluster_page({part: record}), markup=False)
    typer.echo(shown(write_cluster_page(store.root)))
    if missed:
        raise typer.Exit(1)
