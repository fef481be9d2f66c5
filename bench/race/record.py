"""What is kept of races: raw times by round, ratios with intervals, and where they were made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from bench.errors import InputError
from bench.provenance import race_digest
from bench.race.file import Contender, Memory, Race, Scaling
from bench.records.base import Stored
from bench.records.schema import Provenance
from bench.records.store import write_atomic
from bench.specs import describe_invalid
from bench.toml_file import shown

FOLDER = "races"  # below the results folder

Verdict = Literal["reached", "missed", "within noise", "no floor"]


class TimedContender(Stored):
    """One contender of one race."""

    label: str
    form: str  # the fastest of its forms, or the scan's
    screened_s: dict[str, float]  # median seconds a pass of each form, by which it was chosen
    units_per_pass: int  # images, or state updates of a scan
    notes: list[str]
    rounds_s: list[list[float]]  # seconds a pass, by round
    failure: str | None = None


class Comparison(Stored):
    """The subject against one rival."""

    rival: str
    ratio: float
    low: float  # 95 % bootstrap interval over rounds
    high: float
    at_least: float | None
    verdict: Verdict


class RaceResult(Stored):
    """One race: subject first, then its rivals; ``fastest`` names the rival that leads them."""

    spec: Race
    contenders: list[TimedContender]
    comparisons: list[Comparison]
    fastest: str | None
    against_fastest: Comparison | None
    noisy: bool

    @property
    def lacks_a_floor(self) -> bool:
        """Whether a floor could not be judged: its rival failed, or the subject did."""
        failed = {c.label for c in self.contenders if c.failure}
        needed = {r.label for r in self.spec.rivals if r.at_least is not None}
        if self.spec.at_least is not None and self.against_fastest is None:
            return True
        return self.spec.subject.label in failed or bool(needed & failed)


class MemoryResult(Stored):
    """The peak memory of one fresh process."""

    spec: Memory
    peak_bytes: int | None
    before_bytes: int | None  # resident when the model was not built yet
    failure: str | None
    verdict: Verdict


class ScaledContender(Stored):
    """One contender at several image sizes (keys: the side in px)."""

    label: str
    form: str
    rounds_s: dict[str, list[list[float]]]  # seconds a pass, by round
    failures: dict[str, str]  # why a size could not be timed


class Exponent(Stored):
    """How time grows with pixels between two sizes: 1 is linear."""

    label: str
    small: int
    large: int
    exponent: float
    low: float  # 95 % bootstrap interval over rounds
    high: float
    at_most: float | None
    verdict: Verdict


class ScalingResult(Stored):
    """Every contender at every size, and what follows."""

    spec: Scaling
    contenders: list[ScaledContender]
    exponents: list[Exponent]


class RaceRecord(Stored):
    """One file of races, measured on one machine."""

    schema_version: Literal[1] = 1
    name: str
    about: str
    provenance: Provenance
    races: list[RaceResult]
    memory: list[MemoryResult]
    scaling: list[ScalingResult] = []

    @property
    def stale(self) -> bool:
        """Whether the code that decides it has changed since."""
        found = [c for r in self.races for c in (r.spec.subject, *r.spec.rivals)]
        found += [c for scaled in self.scaling for c in scaled.spec.contenders]
        found += [ceiling.spec.subject for ceiling in self.memory]
        return self.provenance.source_digest != digest_of(found)

    @property
    def missed(self) -> bool:
        """Whether a floor or a ceiling was missed, or what it needs could not be measured."""
        verdicts = [c.verdict for r in self.races for c in (*r.comparisons, r.against_fastest) if c]
        verdicts += [ceiling.verdict for ceiling in self.memory]
        verdicts += [found.verdict for scaled in self.scaling for found in scaled.exponents]
        return "missed" in verdicts or any(race.lacks_a_floor for race in self.races)


def digest_of(contenders: Iterable[Contender]) -> str:
    """The digest of the code that decides races of these contenders, as it stands today."""
    names = [contender.model for contender in contenders if contender.model]
    return race_digest([*names, "medmamba_tiny"])  # whose scan may be raced alone


def judge(low: float, high: float, at_least: float | None) -> Verdict:
    """Whether a floor is reached, by the interval of a ratio."""
    if at_least is None:
        return "no floor"
    if low >= at_least:
        return "reached"
    return "missed" if high < at_least else "within noise"


def save(record: RaceRecord, results: Path) -> Path:
    """Write the record whole or not at all; returns its path."""
    path = results / FOLDER / f"{record.name}.json"
    text = json.dumps(record.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomic(path, (text + "\n").encode())
    return path


def load_all(results: Path) -> list[RaceRecord]:
    """Every record of races, by name.

    Raises:
        InputError: one cannot be read.
    """
    records = []
    for path in sorted((results / FOLDER).glob("*.json")):
        try:
            records.append(RaceRecord.model_validate_json(path.read_text(encoding="utf-8")))
        except (ValidationError, OSError, UnicodeDecodeError) as error:
            why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
            raise InputError(
                f"damaged record: {why}",
                remedy=f"make it anew: python -m bench race {path.stem}",
                file=shown(path),
            ) from None
    return records
