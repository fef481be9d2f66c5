"""Whether a node would give the same bits: its Python, packages, code and data."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.data import catalog, medmnist
from bench.errors import InputError
from bench.execution.one_run import take_digests
from bench.plan import UNAVAILABLE, Plan
from bench.provenance import packages, source_digest
from bench.specs import DatasetSpec, RunSpec


@dataclass(frozen=True)
class Wanted:
    """What a node must have to do runs of a plan, as the driver has it.

    Attributes:
        models: one run of each model.
        digests: of the source that decides their runs, by the model's name.
        data: each data set as the suite describes it, by name.
        checksums: of each data set, by name.
    """

    python: str
    packages: dict[str, str]
    models: list[RunSpec]
    digests: dict[str, str]
    data: dict[str, DatasetSpec] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    source_size: int = 28


def wanted_for(plan: Plan, todo: Iterable[RunSpec]) -> Wanted:
    """What the runs still to do want of a node; data that the driver lacks is not asked for."""
    todo = list(todo)
    models = list({spec.model.name: spec for spec in todo}.values())
    checksums = {
        spec.data.name: spec.data.checksum for spec in todo if spec.data.checksum != UNAVAILABLE
    }
    return Wanted(
        python=platform.python_version(),
        packages=packages(),
        models=models,
        digests={spec.model.name: source_digest(spec) for spec in models},
        data={spec.name: spec for spec in plan.suite.datasets if spec.name in checksums},
        checksums=checksums,
        source_size=plan.suite.settings.source_size,
    )


def code_differences(wanted: Wanted) -> list[str]:
    """What of Python, the packages and the source is another here; one line each, at best none."""
    found = []
    here = platform.python_version()
    if here != wanted.python:
        found.append(f"Python is {here}, not {wanted.python}")
    for name, version in wanted.packages.items():
        installed = _installed(name)
        if installed != version:
            found.append(f"{name} is {installed or 'not installed'}, not {version}")
    take_digests(wanted.models)
    others = [
        m.model.name for m in wanted.models if source_digest(m) != wanted.digests[m.model.name]
    ]
    if others:
        found.append(f"the source of {', '.join(others)} or of the harness is another")
    return found


def data_differences(wanted: Wanted) -> list[str]:
    """Which data sets are missing here, or are others; reads every file that is asked for."""
    found = []
    for name, spec in wanted.data.items():
        try:
            here = _checksum(spec, wanted.source_size, wanted.checksums[name])
        except InputError as error:
            found.append(str(error))
            continue
        if here is None:
            found.append(f"{name} is not here (MEDMNIST_ROOT, or ~/.medmnist)")
        elif here != wanted.checksums[name]:
            found.append(f"{name} is other data: checksum {here}, not {wanted.checksums[name]}")
    return found


def _checksum(spec: DatasetSpec, source_size: int, wanted: str) -> str | None:
    """None: a MedMNIST file that is not here; it is never downloaded by a node."""
    if spec.name not in medmnist.info_by_flag():
        return catalog.checksum(spec, source_size)
    path = medmnist.locate(spec.name, source_size)
    if path is None:
        return None
    if wanted.startswith("md5:"):  # an official file: nothing of it needs to be unpacked
        return f"md5:{_md5(path)}"
    return catalog.checksum(spec, source_size)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def refusal(unfit: Mapping[str, list[str]]) -> InputError:
    """One error for all nodes that do not fit, each with its differences."""
    told = "; ".join(f"{node}: {', '.join(what)}" for node, what in sorted(unfit.items()))
    return InputError(
        f"{len(unfit)} of the cluster's nodes would not give the same results: {told}",
        remedy="make them equal or take them out of the cluster; nothing was trained",
        key="--engine ray",
    )
