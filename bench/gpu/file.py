"""A file of steps (``suites/gpu/*.toml``): what is done on a GPU, the most valuable first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bench.specs import Strict
from bench.toml_file import ROOT, read_toml

FOLDER = ROOT / "suites" / "gpu"
STEPS = FOLDER / "steps.toml"
REHEARSAL = FOLDER / "rehearsal.toml"

Command = Literal["kernels", "race", "measure", "run"]
"""Commands of the bench that keep what they finish and never do it twice."""


class Step(Strict):
    """One command of the bench, in a fresh process with a limit of time."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)]
    about: str  # what it is for, in a few words
    command: Command
    arguments: list[str] = []
    share: Annotated[float, Field(gt=0, le=1000)]  # of the time, beside the shares of later steps
    least_s: Annotated[float, Field(ge=1, le=3600)]  # with less it is not begun
    mps: bool = False  # its processes overlap on the GPU, where NVIDIA's MPS is

    @model_validator(mode="after")
    def _only_trainings_overlap(self) -> Step:
        if self.mps and self.command != "run":
            raise ValueError(f"mps: {self.command} is timed or checked alone; only run may overlap")
        return self

    @property
    def words(self) -> list[str]:
        """What stands after ``python -m bench``."""
        return [self.command, *self.arguments]


class GpuFile(Strict):
    """A file of steps as it stands on disk."""

    about: str
    step: Annotated[list[Step], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_once(self) -> GpuFile:
        names = [step.name for step in self.step]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"the step {twice[0]!r} is given twice")
        return self


def load_steps(path: Path) -> GpuFile:
    """The file's steps.

    Raises:
        InputError: it cannot be read, or is not a valid one.
    """
    return read_toml(path, GpuFile)
