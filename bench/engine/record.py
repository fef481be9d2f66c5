"""What is kept of a trial of the engine: one file for each of its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from bench.engine.file import EngineFile
from bench.errors import InputError
from bench.provenance import engine_digest
from bench.records.base import Stored
from bench.records.schema import Provenance
from bench.records.store import write_atomic
from bench.specs import describe_invalid
from bench.toml_file import shown

FOLDER = "engine"  # below the results folder


class FeedingResult(Stored):
    """Whole passes over one training split by both paths, in the same rounds.

    Attributes:
        data: ``pneumoniamnist``, or a stand-in of the same form.
        ours_s: seconds a pass, by round; ``theirs_s`` is of the same rounds.
        ratio: how many times as fast ours is, with its 95 % interval.
        ours_first_batch_s: seconds from the file to the first batch while nothing is cached yet.
        ours_cached_first_batch_s: the same once the resized images are.
    """

    image_size: int
    source_size: int
    channels: int
    batch_size: int
    workers: int
    data: str
    images: int
    device: str
    threads: int
    ours_s: list[float]
    theirs_s: list[float]
    ours_images_per_s: float
    theirs_images_per_s: float
    ratio: float
    ratio_low: float
    ratio_high: float
    ours_first_batch_s: float
    ours_cached_first_batch_s: float
    theirs_first_batch_s: float


class OverheadResult(Stored):
    """Seconds of whole trainings, in turn, and where an epoch's time goes."""

    harness_s: list[float]
    plain_s: list[float]
    epochs_s: list[float]  # the training pass of each epoch
    updates_s: list[float]  # of that, in forward, backward and optimizer
    noisy: bool


class ResumeResult(Stored):
    """What a kill cost."""

    restart_s: float  # from the start of the new process to its first update
    lost_updates: int  # done before the kill and done again; known to two seconds
    lost_s: float
    wall_s: float  # of the whole run, both processes


class ChaosResult(Stored):
    """A suite killed at random moments beside the same suite undisturbed."""

    kills: dict[str, int]  # by signal
    suites: int  # times the whole suite was done
    runs_compared: int
    runs_resumed: int  # of those, how many went on from a checkpoint
    differences: list[str]


class EngineRecord(Stored):
    """One part of the trial on one machine."""

    schema_version: Literal[1] = 1
    part: Literal["feeding", "overhead", "resume", "chaos"]
    spec: EngineFile
    provenance: Provenance
    feeding: list[FeedingResult] | None = None
    overhead: OverheadResult | None = None
    resume: ResumeResult | None = None
    chaos: ChaosResult | None = None

    @property
    def stale(self) -> bool:
        """Whether the code that decides it has changed since."""
        return self.provenance.source_digest != engine_digest()


def save(record: EngineRecord, results: Path) -> Path:
    """Write the part whole or not at all; returns its path."""
    path = results / FOLDER / f"{record.part}.json"
    write_atomic(path, (record.model_dump_json(indent=1) + "\n").encode())
    return path


def load(results: Path, part: str) -> EngineRecord | None:
    """The stored part, or None if there is none.

    Raises:
        InputError: it cannot be read.
    """
    path = results / FOLDER / f"{part}.json"
    if not path.exists():
        return None
    try:
        return EngineRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"damaged record: {why}",
            remedy=f"make it anew: python -m bench engine {part}",
            file=shown(path),
        ) from None
