"""``suites/audit/duplicates.toml``: which images count as copies of one another."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bench.specs import Strict
from bench.toml_file import ROOT

DUPLICATES = ROOT / "suites" / "audit" / "duplicates.toml"

Likeness = Annotated[float, Field(gt=0.5, le=0.9999)]


class AuditSpec(Strict):
    """The file as it stands on disk.

    Attributes:
        size: pixels a side at which images are compared; smaller ones keep theirs.
        likeness: two images that are at least so alike are near duplicates; what it measures is
            said in ``bench.data.near_duplicates``.
        counted: at which pairs are counted too, rising, to show what another threshold would do.
        flat_below: standard deviation of the pixels, in grey levels, below which an image is flat:
            its correlation with another is one of noise, so it is named and not compared.
    """

    about: str
    size: Annotated[int, Field(ge=8, le=64)]
    likeness: Likeness
    counted: Annotated[list[Likeness], Field(min_length=1)]
    flat_below: Annotated[float, Field(gt=0, le=64)]

    @model_validator(mode="after")
    def _threshold_is_counted(self) -> AuditSpec:
        if self.counted != sorted(set(self.counted)) or self.likeness not in self.counted:
            raise ValueError("counted must rise and hold likeness")
        return self
