"""``suites/trust/timer.toml``: what the timer is tried on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench.details import Batch, Size
from bench.specs import Strict
from bench.toml_file import ROOT

TIMER = ROOT / "suites" / "trust" / "timer.toml"

Count = Annotated[int, Field(ge=1)]


class Loops(Strict):
    """Our loop and timm's on several models."""

    models: Annotated[list[str], Field(min_length=1)]
    image_size: Size
    batch_size: Batch
    rounds: Annotated[int, Field(ge=6)]
    ratio_within: Annotated[list[float], Field(min_length=2, max_length=2)]


class Copies(Strict):
    """One model, a copy of it, and a copy that waits after each pass."""

    model: str
    image_size: Size
    batch_size: Batch
    repeats: Count
    rounds: Annotated[int, Field(ge=6)]
    slower_by: Annotated[float, Field(gt=0, lt=1)]
    right_at_least: Count  # of the repeats
    floor: Annotated[float, Field(ge=0, lt=1)]  # by which that interval is widened
    level: Annotated[float, Field(gt=0.5, lt=1)]  # of the interval of a difference


class TrustFile(Strict):
    """The file as it stands on disk."""

    about: str
    threads: Count
    channels: Literal[1, 3]
    num_classes: Annotated[int, Field(ge=2)]
    loops: Loops
    copies: Copies
