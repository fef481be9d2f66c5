"""What is kept of a trial of the timer: raw times by round, and where they were made."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from bench.errors import InputError
from bench.provenance import trust_digest
from bench.records.base import Stored
from bench.records.details import Rounds
from bench.records.schema import Provenance
from bench.records.store import write_atomic
from bench.specs import describe_invalid
from bench.toml_file import shown
from bench.trust.file import TrustFile

NAME = "trust.json"  # below the results folder


class LoopTimes(Stored):
    """One model under both loops, step by step in turn."""

    model: str
    ours_s: Rounds
    timm_s: Rounds


class CopyTimes(Stored):
    """One repeat: a model, its copy and its slower copy in the same rounds."""

    first_s: Rounds
    copy_s: Rounds
    slower_s: Rounds


class TrustRecord(Stored):
    """One trial of the timer on one machine."""

    schema_version: Literal[1] = 1
    spec: TrustFile
    provenance: Provenance
    loops: list[LoopTimes]
    copies: list[CopyTimes]
    noisy: bool

    @property
    def stale(self) -> bool:
        """Whether the code that decides it has changed since."""
        return self.provenance.source_digest != trust_digest()


def save(record: TrustRecord, results: Path) -> Path:
    """Write the record whole or not at all; returns its path."""
    path = results / NAME
    write_atomic(path, (record.model_dump_json(indent=1) + "\n").encode())
    return path


def load(results: Path) -> TrustRecord | None:
    """The stored trial, or None if there is none.

    Raises:
        InputError: it cannot be read.
    """
    path = results / NAME
    if not path.exists():
        return None
    try:
        return TrustRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"damaged record: {why}",
            remedy="make it anew: python -m bench trust",
            file=shown(path),
        ) from None
