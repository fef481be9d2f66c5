"""``suites/scale/reports.toml``: how many made-up records tables and figures are drawn from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bench.specs import Strict
from bench.suite_file import Names
from bench.toml_file import ROOT

SCALE = ROOT / "suites" / "scale" / "reports.toml"

Count = Annotated[int, Field(ge=1)]


class Shape(Strict):
    """One results folder: models × data sets × seeds, and a cost record of each model."""

    models: Count
    datasets: Names  # of MedMNIST: task and classes are theirs
    seeds: Count
    epochs: Count
    val_images: Count  # at most; a smaller split keeps its size
    test_images: Count

    @property
    def records(self) -> int:
        """How many there are."""
        return self.models * len(self.datasets) * self.seeds + self.models
