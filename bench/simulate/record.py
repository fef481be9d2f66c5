"""What is kept of the simulations: how often each thing happened, and where that was found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from bench.errors import InputError
from bench.provenance import simulations_digest
from bench.records.base import Stored
from bench.records.schema import Provenance
from bench.records.store import write_atomic
from bench.simulate.file import SimulationFile
from bench.simulate.rates import Rate
from bench.specs import describe_invalid
from bench.toml_file import shown

NAME = "simulations.json"  # below the results folder


class AnalysisCost(Stored):
    """What the whole analysis took in a fresh process.

    Attributes:
        wall_s: of the analysis alone, without making the predictions it reads.
        peak_bytes: the largest resident set of the process, those predictions included.
        predictions_bytes: of them.
        comparisons: how many verdicts it gave.
    """

    runs: Annotated[int, Field(ge=1)]
    comparisons: Annotated[int, Field(ge=0)]
    wall_s: Annotated[float, Field(ge=0)]
    peak_bytes: Annotated[int, Field(ge=1)]
    predictions_bytes: Annotated[int, Field(ge=1)]


class SimulationRecord(Stored):
    """All simulations of one file by one state of the code; ``rates`` are the same anywhere."""

    schema_version: Literal[1] = 1
    spec: SimulationFile
    provenance: Provenance
    rates: list[Rate]
    analysis: AnalysisCost | None

    @property
    def stale(self) -> bool:
        """Whether the code that decides it has changed since."""
        return self.provenance.source_digest != simulations_digest()


def save(record: SimulationRecord, results: Path) -> Path:
    """Write the record whole or not at all; returns its path."""
    path = results / NAME
    write_atomic(path, (record.model_dump_json(indent=1) + "\n").encode())
    return path


def load(results: Path) -> SimulationRecord | None:
    """The stored simulations, or None if there are none.

    Raises:
        InputError: they cannot be read.
    """
    path = results / NAME
    if not path.exists():
        return None
    try:
        return SimulationRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"damaged record: {why}",
            remedy="make it anew: python -m bench simulate",
            file=shown(path),
        ) from None
