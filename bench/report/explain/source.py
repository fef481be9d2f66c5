"""What a record was made of, and the commands that make it again from a fresh clone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator

from bench.data import medmnist
from bench.data.phantom import CLASS_NAMES as PHANTOMS
from bench.records.schema import Provenance
from bench.report.text import duration
from bench.specs import DataIdentity, RunSpec
from bench.toml_file import ROOT


def rests_on(made: Provenance, *, stale: bool) -> Iterator[str]:
    """Machine, commit, packages, and whether the code still gives it."""
    dirty = ", with changes that were not committed" if made.dirty else ""
    yield (
        f"made: {made.started_at:%Y-%m-%d %H:%M} UTC in {duration(made.wall_s)} on "
        f"{made.processor} ({made.device_name}, {made.threads} threads); commit "
        f"{made.commit or 'unknown'}{dirty}{_history(made.commit)}"
    )
    packages = listed(f"{name} {version}" for name, version in made.packages.items())
    yield f"with: Python {made.python}, {packages}; {made.platform}"
    yield "code: " + ("has changed since: the record is stale" if stale else "gives the same today")


def _history(commit: str | None) -> str:
    """Whether a clone of this repository would have the commit; empty outside git."""
    if commit is None:
        return ""
    try:
        asked = ["git", "merge-base", "--is-ancestor", commit, "HEAD"]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    told = {0: " (in this history)", 1: " (NOT in this history)", 128: " (NOT in this repository)"}
    return told.get(done.returncode, "")


def again(made: Provenance, command: str, data: DataIdentity | None) -> Iterator[str]:
    """From nothing to the same record; the last line is the command itself."""
    yield "again, from a fresh clone:"
    checkout = f" && git checkout {made.commit}" if made.commit else ""
    yield f"  git clone REPOSITORY fresh && cd fresh{checkout} && make setup"
    if made.dirty:
        yield "  (its changes that were not committed are lost: the bits may differ)"
    if data is not None:
        yield f"  data: {_origin(data)}"
    yield f"  BENCH_RESULTS=again .venv/bin/{command}"


def _origin(data: DataIdentity) -> str:
    """Where the very bytes come from."""
    if data.name in PHANTOMS:
        return f"{data.name} is made by the code"
    info = medmnist.info_by_flag().get(data.name)
    if info is None:
        return f"{data.name} is own data, at the suite's path; its checksum must be {data.checksum}"
    return f"{data.name} is downloaded from Zenodo, or lies in MEDMNIST_ROOT; {data.checksum}"


def decided_by(spec: RunSpec) -> Iterator[str]:
    """The data and the protocol of a training."""
    data = spec.data
    said = f"; {fields(data.described)}" if data.described else ""
    size = f"{data.source_size} px fed at {spec.image_size} px"
    yield f"data: {data.name}, {data.checksum}, {size}{said}"
    yield f"protocol: {fields(spec.protocol.deciding())}"


def fields(values: object) -> str:
    """``epochs 20, optimizer (name adamw, lr 0.001)``."""
    if isinstance(values, dict):
        return ", ".join(f"{key} {_nested(value)}" for key, value in values.items())
    return str(values)


def _nested(value: object) -> str:
    if isinstance(value, dict):
        return f"({fields(value)})"
    return listed(value) if isinstance(value, list) else str(value)


def listed(values: Iterable[object]) -> str:
    """``a, b``."""
    return ", ".join(map(str, values))
