"""What is kept of the gate's trial: every try, with its raw times, and the counts of replays."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bench import provenance
from bench.records.base import Stored
from bench.records.schema import Count, Provenance
from bench.records.single import load_single
from bench.records.store import write_atomic
from bench.regress.faults import FAULTS
from bench.regress.file import GATE, GateFile
from bench.regress.record import ProcessRow, TimedRow
from bench.regress.trial_file import TrialFile
from bench.toml_file import read_toml

NAME = "regress.json"  # below the results folder
SOURCES = (
    "bench/measure",
    "bench/regress",
    "bench/statistics/sequential.py",
    "bench/statistics/timings.py",
)
"""What decides a trial, beside the gate file; the code on which faults are planted does not."""
TIMING = (
    "bench/measure",
    *(f"bench/regress/{name}.py" for name in ("across", "fresh", "judge", "lanes", "processes")),
    *(f"bench/regress/{name}.py" for name in ("timing", "tree", "twin")),
    "bench/regress/probes/answering.py",
    "bench/regress/probes/process.py",
    "bench/statistics/timings.py",
)
"""Of that, what decides raw times and memory and what is made of them: hours of a quiet machine
should not be lost where another part of the gate changes."""
_TIMED_BY = {"budget_minutes", "imports", "packages", "processes", "run_time", "threads"}
NOTHING, WHOLE = "nothing", "nothing, the whole gate"
"""What was planted, beside the faults: two identical trees, by the noisy parts or by all."""


def regress_digest() -> str:
    """16 hex digits over the source of the gate that is on trial, and its file."""
    digest = provenance._digest(SOURCES)
    digest.update(read_toml(GATE, GateFile).model_dump_json(exclude={"about"}).encode())
    return digest.hexdigest()[:16]


def try_digest(planted: str) -> str:
    """16 hex digits over the code, the gate file and the fault that decide a try."""
    fault = next((one for one in FAULTS if one.name == planted), None)
    timed = planted == NOTHING or (fault is not None and fault.noisy)
    digest = provenance._digest(TIMING if timed else SOURCES)
    gate = read_toml(GATE, GateFile)
    told = gate.model_dump_json(include=_TIMED_BY if timed else None, exclude={"about"})
    digest.update(f"{told}\0{fault!r}".encode())
    return digest.hexdigest()[:16]


class Try(Stored):
    """One run of the gate, or of the part of it that should find the fault.

    Attributes:
        found: names of what it called a regression.
        right: the fault was found by the check that must find it, and the gate ended with 1; where
            nothing was planted, it did not end with 1.
    """

    planted: str
    digest: str  # of what decided it, see ``try_digest``
    exit_code: int
    right: bool
    found: list[str]
    undecided: list[str]
    run_time: list[TimedRow] = []
    processes: list[ProcessRow] = []
    wall_s: float


class Replayed(Stored):
    """Raw times of identical trees drawn anew, made slower by ``share``, judged again.

    Attributes:
        regressions, undecided: how many replays ended so.
    """

    label: str
    share: float
    replays: Count
    regressions: Count
    undecided: Count


class TrialRecord(Stored):
    """The trial on one machine; it grows try by try."""

    schema_version: Literal[1] = 1
    spec: TrialFile
    provenance: Provenance
    tries: list[Try] = []
    replayed: list[Replayed] = []

    @property
    def current(self) -> list[Try]:
        """The tries that today's code would make as they are."""
        today = {name: try_digest(name) for name in {one.planted for one in self.tries}}
        return [one for one in self.tries if one.digest == today[one.planted]]

    @property
    def stale(self) -> bool:
        """Whether the code that decides some try has changed since."""
        return len(self.current) < len(self.tries)

    def of(self, planted: str) -> list[Try]:
        """The tries of one fault."""
        return [one for one in self.tries if one.planted == planted]


def save(record: TrialRecord, results: Path) -> Path:
    """Write the record whole or not at all; returns its path."""
    path = results / NAME
    write_atomic(path, (record.model_dump_json(indent=None) + "\n").encode())
    return path


def load(results: Path) -> TrialRecord | None:
    """The stored trial, or None if there is none.

    Raises:
        InputError: it is damaged.
    """
    return load_single(
        results / NAME,
        TrialRecord,
        lambda _: set(),
        called="record",
        again="make it anew: python -m bench regress --trial",
    )
