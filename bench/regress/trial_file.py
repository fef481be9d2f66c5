"""``suites/regress/trial.toml``: how the gate is put on trial, and what it must stand."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bench.regress.file import Count
from bench.specs import Strict
from bench.toml_file import ROOT

TRIAL = ROOT / "suites" / "regress" / "trial.toml"

Fraction = Annotated[float, Field(ge=0, le=1)]


class Must(Strict):
    """The limits."""

    found: Fraction
    slower_5: Fraction
    slower_10: Fraction
    slower_10_replayed: Fraction
    false_alarms: Fraction
    whole_gate_minutes: Annotated[float, Field(gt=0)]


class TrialFile(Strict):
    """The file as it stands on disk."""

    about: str
    exact_models: Annotated[list[str], Field(min_length=1)]
    tries: Count
    timed_tries: Count
    nothing_tries: Count
    whole_tries: Count
    timed_row: str  # the one that is timed where slowness was planted
    replays: Count
    nothing_replays: Count
    shares: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
    must: Must
