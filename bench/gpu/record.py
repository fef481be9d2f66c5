"""What is kept of one call: the machine, what each step came to, and which records it made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bench.records.base import Stored

Ending = Literal["done", "with faults", "overdue", "failed", "left"]
"""``with faults``: it ended by itself with exit code 1 (a run failed, a floor was missed).
``overdue``: ended at its limit, and goes on in the next call. ``left``: not begun."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Machine(Stored):
    """What torch finds, seen from a process of its own."""

    device: Literal["cpu", "cuda"]
    device_name: str
    torch: str
    cuda: str | None  # the version torch was built with
    python: str


class StepOutcome(Stored):
    """What one step came to in one call."""

    name: str
    words: list[str]  # after ``python -m bench``
    ending: Ending
    seconds: float
    files: int  # made or changed
    said: str  # its last line, or why it was left


class Call(Stored):
    """One call of ``python -m bench gpu``; it stands in its archive as ``call.json``."""

    schema_version: Literal[1] = 1
    rehearsal: bool  # on a CPU, to try the command: nothing of it is a result
    machine: Machine
    commit: str | None
    dirty: bool | None
    started_at: datetime
    minutes: float
    steps: list[StepOutcome]
    files: dict[str, Sha256]  # below the results folder: what this call made or changed
