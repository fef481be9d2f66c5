"""pytest-benchmark's JSON of the micro level, one file a revision: ``results/history/micro/``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import InputError
from bench.regress.history import FOLDER
from bench.specs import describe_invalid
from bench.toml_file import shown

MICRO = "micro"  # below the history


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # theirs: more stands in it


class _Stats(_Read):
    median: float


class _Benchmark(_Read):
    name: str
    stats: _Stats


class _Cpu(_Read):
    brand_raw: str = "unknown"
    count: int = 0


class _Machine(_Read):
    cpu: _Cpu = _Cpu()
    python_version: str = ""


class _Commit(_Read):
    id: str
    dirty: bool = False
    time: datetime | None = None


class _File(_Read):
    machine_info: _Machine
    commit_info: _Commit
    benchmarks: list[_Benchmark]
    datetime: datetime


@dataclass(frozen=True)
class Micro:
    """One revision's benchmarks.

    Attributes:
        machine: processor and its number of cores: what stays the same on one machine (its clock,
            which pytest-benchmark compares as well, does not).
        seconds: median by name.
    """

    commit: str
    at: datetime
    machine: str
    seconds: dict[str, float]


def load_micro(results: Path) -> list[Micro]:
    """Every file, oldest first.

    Raises:
        InputError: one is no JSON of pytest-benchmark, or holds no benchmark.
    """
    found = [_load(path) for path in sorted((results / FOLDER / MICRO).glob("*.json"))]
    return sorted(found, key=lambda one: (one.at, one.commit))


def _load(path: Path) -> Micro:
    try:
        file = _File.model_validate_json(path.read_text(encoding="utf-8"))
        if not file.benchmarks:
            raise ValueError("it holds no benchmark")
    except (ValidationError, ValueError, OSError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"not a JSON of pytest-benchmark: {why}", remedy="delete it", file=shown(path)
        ) from None
    cpu = file.machine_info.cpu
    changed = " with changes" if file.commit_info.dirty else ""
    return Micro(
        commit=f"{file.commit_info.id[:12]}{changed}",
        at=file.commit_info.time or file.datetime,
        machine=f"{cpu.brand_raw}, {cpu.count} cores",
        seconds={one.name: one.stats.median for one in file.benchmarks},
    )
