"""``suites/scale/reports.toml``: how many made-up records tables and figures are drawn from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bench.specs import Strict
from bench.suite_file import Names
from bench.toml_file import ROOT

SCALE = ROOT / "suites" / "scale" / "reports.toml"
MANY = 10_000  # records; of fewer the first limit is asked

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


class Shape(Strict):
    """One results folder: models × data sets × seeds, and a cost record of each model."""

    models: Count
    datasets: Names  # of MedMNIST: task and classes are theirs
    seeds: Count
    epochs: Annotated[int, Field(ge=2)]
    val_images: Count  # at most; a smaller split keeps its size
    test_images: Count

    @property
    def records(self) -> int:
        """How many there are."""
        return self.models * len(self.datasets) * self.seeds + self.models


class ScaleFile(Strict):
    """The file as it stands on disk.

    Attributes:
        within_s: wall time asked of up to ``MANY`` records, with nothing kept from before.
        many_within_s: of more, with everything kept.
    """

    about: str
    within_s: Seconds
    many_within_s: Seconds
    shape: Annotated[dict[str, Shape], Field(min_length=1)]
