"""Which engine does the runs: this process, workers on this machine, or a Ray cluster."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.errors import InputError, one_line

if TYPE_CHECKING:
    from bench.cluster.engine import Engine
    from bench.cluster.ray_engine import RayEngine
    from bench.cluster.shared_store import SharedStore
    from bench.execution.estimate import Estimator
    from bench.execution.places import Place
    from bench.plan import Device, Plan
    from bench.records.store import Store
    from bench.suite import Suite

EngineName = Annotated[
    Literal["local", "ray"],
    typer.Option("--engine", help="Who does the runs: this machine, or a Ray cluster."),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Of the Ray cluster (auto: the one this machine is part of); default RAY_ADDRESS, "
        "else a cluster of this machine alone.",
    ),
]
Shared = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="A folder or bucket that every node reaches (file://, s3://, gs://): checkpoints "
        "outlive their node there.",
    ),
]
MemoryGiB = Annotated[
    float | None,
    typer.Option(
        "--memory", min=0.0, metavar="GiB", help="Main memory that Ray keeps free for each run."
    ),
]

Hardware = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="With --dry-run: what the suite would cost on hardware that was recorded.",
    ),
]

REACH_S = 10.0  # for a port to answer; Ray itself tries for many minutes
GPU_S = 300.0  # for a share of a GPU to come free


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster that this command has joined."""

    dashboard: str | None
    shared: SharedStore | None

    def device(self, suite: Suite) -> Device:
        """What the suite's runs use there: where nodes have GPUs, one of them is asked.

        Raises:
            InputError: the suite cannot run there, or no node says what it can use.
        """
        import ray

        from bench.plan import resolve_device

        if suite.settings.device == "cpu" or not ray.cluster_resources().get("GPU"):
            return resolve_device(suite)
        asked = ray.remote(num_cpus=0, num_gpus=0.01)(resolve_device).remote(suite)
        try:
            found: Device = ray.get(asked, timeout=GPU_S)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, InputError):
                raise error.cause from None
            raise InputError(
                f"a node with a GPU cannot load the harness ({one_line(error.cause or error)})",
                remedy="put this checkout and its packages there; nothing was trained",
                key="--engine ray",
            ) from None
        except ray.exceptions.RayError as error:
            raise InputError(
                f"no node says what its GPU can do ({one_line(error)})",
                remedy="see that a GPU is free",
                key="--engine ray",
            ) from None
        return found

    def engine(
        self,
        plan: Plan,
        per_gpu: int | None,
        memory_gib: float | None,
        estimator: Estimator,
    ) -> RayEngine:
        """The engine for the runs of a plan, its nodes counted.

        Raises:
            InputError: ``per_gpu`` where the runs use no GPU.
        """
        from bench.cluster.needs import needs_of
        from bench.cluster.order import expected_time
        from bench.cluster.ray_engine import RayEngine

        images = {name: len(data.train) for name, data in plan.datasets.items()}
        engine = RayEngine(
            needs_of(plan.suite, plan.device, per_gpu, memory_gib),
            shared=self.shared,
            seconds=expected_time(estimator, images),
        )
        engine.nodes.look()
        return engine


def check_engine(
    engine: str,
    address: str | None,
    shared: str | None,
    workers: int | None,
    memory_gib: float | None,
) -> SharedStore | None:
    """The shared store, if one is asked for; refuses what can be refused without a cluster.

    Raises:
        InputError: an option that the engine does not take, nothing answers, no such place.
    """
    if engine == "local":
        for key, given in (("--address", address), ("--shared", shared), ("--memory", memory_gib)):
            if given is not None:
                raise InputError(
                    "it is for runs on a Ray cluster", remedy="add --engine ray", key=key
                )
        return None
    if workers is not None:
        raise InputError(
            "on a cluster Ray decides how many runs go on at once",
            remedy="leave it out",
            key="--workers",
        )
    check_answers(address or os.environ.get("RAY_ADDRESS") or "")
    return shared_store(shared)


def join_cluster(
    context: typer.Context, address: str | None, shared: SharedStore | None
) -> Cluster:
    """The cluster, joined until the command ends.

    Raises:
        InputError: no such cluster.
    """
    from bench.cluster.connect import connected

    return Cluster(context.with_resource(connected(address)), shared)


def check_answers(address: str) -> None:
    """Refuse at once an address where nothing listens.

    Args:
        address: anything but ``HOST:PORT`` is left to Ray.

    Raises:
        InputError: nothing answers there.
    """
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_S).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"nothing answers at {address!r} ({one_line(error)})",
            remedy="start a cluster there (`ray start --head`) or correct the address",
            key="--address",
        ) from None


def shared_store(url: str | None, *, writable: bool = True) -> SharedStore | None:
    """The shared store at a URL, checked; None where none is asked for.

    Args:
        writable: otherwise it is only read, and must be there.

    Raises:
        InputError: it cannot be used.
    """
    if url is None:
        return None
    from bench.cluster.connect import check_installed
    from bench.cluster.shared_store import SharedStore

    check_installed("fsspec", "--shared")
    store = SharedStore(url)
    store.check(writable=writable)
    return store


def pull(url: str | None, store: Store) -> None:
    """Bring what a shared store holds here: results that are not here, and what is under way."""
    shared = shared_store(url, writable=False)
    if shared is not None:
        shared.pull(store)
        shared.pull_running(store)


def local_engine(places: list[Place] | None) -> Engine:
    """The engine of this machine: in this process, or by a worker in each place."""
    from bench.execution.local import run_plan
    from bench.execution.workers import run_with_workers

    return run_plan if places is None else partial(run_with_workers, places=places)


def say_where(cluster: Cluster, engine: RayEngine) -> str:
    """One line: what the cluster has room for, and where to watch it."""
    nodes, slots = len(engine.nodes.fitting), engine.nodes.slots
    link = f"; dashboard: http://{cluster.dashboard}" if cluster.dashboard else ""
    where = "" if cluster.shared else "; no --shared: a run whose node is lost begins anew"
    return f"Ray: room for {slots} runs at once on {nodes} nodes ({engine.needs} each){where}{link}"


def say_used(engine: RayEngine) -> str:
    """One line at the end: how well the slots were used, and what was lost."""
    lost = engine.nodes.lost
    again = f"; {lost} runs lost their worker or node and were done again" if lost else ""
    return f"Ray: {engine.nodes.utilisation:.0%} of the slots' time went into runs{again}."
