"""Joining a Ray cluster, or starting one on this machine, quietly and without traces."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from bench.errors import InputError
from bench.process import Terminated
from bench.toml_file import ROOT

OBJECT_STORE_BYTES = 128 * 2**20
"""Of a cluster started here: what passes through it are records, well under a MiB each."""

PASSED_ON = ("MEDMNIST_ROOT", "BENCH_CACHE")
"""Said by this process's environment to workers whose own says nothing of it."""


def check_installed(module: str, option: str) -> None:
    """Refuse an option whose package is not there.

    Raises:
        InputError: with the command that installs it.
    """
    if importlib.util.find_spec(module) is None:
        raise InputError(
            f"{module} is not installed",
            remedy="run: python -m pip install -c constraints.txt -e '.[cluster]'",
            key=option,
        )


@contextlib.contextmanager
def connected(address: str | None, *, cpus: int | None = None) -> Iterator[str | None]:
    """While it lasts this process is a Ray driver; gives the dashboard's address, if there is one.

    Args:
        address: of a running cluster (``HOST:PORT``, or ``auto`` for this machine's); None for
            ``RAY_ADDRESS``, and where that is not set, for a cluster of this machine alone that
            ends with this process.
        cpus: of a cluster started here; None for the cores this process may use.

    Raises:
        InputError: Ray is not installed, or there is no cluster at the address.
    """
    check_installed("ray", "--engine ray")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns at each start
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anyone
    import ray

    wanted = address or os.environ.get("RAY_ADDRESS") or "local"
    if "://" in wanted:
        raise InputError(
            f"{wanted!r} asks for Ray Client, which cannot watch nodes",
            remedy="run the command on a machine of the cluster (`ray job submit` does), with its "
            "HOST:PORT or 'auto'",
            key="--address",
        )
    # Ray answers SIGTERM by exiting, which a training would record as the model's own doing.
    answers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        context = ray.init(
            address=wanted,
            namespace="bench",
            runtime_env={"env_vars": _environment()},
            log_to_driver=False,
            logging_level=logging.ERROR,
            **(_started_here(cpus) if wanted == "local" else {}),
        )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        said = " ".join(str(error).split())[:400]  # two versions stand on lines of their own
        raise InputError(
            f"no Ray cluster can be joined at {wanted!r} ({said})",
            remedy="start one (`ray start --head`), correct the address, or install what the "
            "cluster has",
            key="--address",
        ) from None
    finally:
        for number, answer in answers.items():
            signal.signal(number, answer)
    try:
        yield context.dashboard_url or None
    finally:
        ray.shutdown()


@contextlib.contextmanager
def passing_signals() -> Iterator[None]:
    """What the answer to a signal raises comes out as it is, not as an error of Ray's waiting."""
    try:
        yield
    except SystemError as error:
        if isinstance(error.__cause__, (Terminated, KeyboardInterrupt)):
            raise error.__cause__ from None
        raise


def _environment() -> dict[str, str]:
    """What workers are born with: this checkout's path, and what must be set before torch loads."""
    passed_on = {
        f"BENCH_DRIVER_{name}": os.environ[name] for name in PASSED_ON if name in os.environ
    }
    return {
        "PYTHONPATH": import_path(),
        "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "1000"),
        **passed_on,
    }


def import_path() -> str:
    """``PYTHONPATH`` elsewhere: this checkout, then where this process finds own models."""
    own = [
        str(Path(place).resolve())
        for place in os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if place
    ]
    return os.pathsep.join(dict.fromkeys([str(ROOT), *own]))


def take_environment() -> None:
    """In a worker: what the driver's environment says and this node's does not."""
    for name in PASSED_ON:
        if value := os.environ.get(f"BENCH_DRIVER_{name}"):
            os.environ.setdefault(name, value)


def _started_here(cpus: int | None) -> dict[str, int]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"num_cpus": cpus or usable or 1, "object_store_memory": OBJECT_STORE_BYTES}
