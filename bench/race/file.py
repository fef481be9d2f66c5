"""A file of races (``suites/races/*.toml``), checked whole before anything is timed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bench.details import Form
from bench.errors import InputError, nearest
from bench.specs import Arguments, Precision, Strict
from bench.toml_file import ROOT, read_toml

RACES = ROOT / "suites" / "races"

COPY = "copy"
"""In place of a scan: a copy on the device that moves as many bytes as the scan at least must."""

FORMS: dict[str, tuple[Form, ...]] = {
    "inference": ("plain", "channels_last", "fused", "fused_channels_last"),
    "training": ("plain", "channels_last"),
}

Positive = Annotated[int, Field(ge=1)]
Ratio = Annotated[float, Field(gt=0)]
Span = Annotated[list[Positive], Field(min_length=2, max_length=2)]


class Contender(Strict):
    """A model, or a form of the selective scan alone; it runs in the fastest of its forms."""

    model: str = ""
    scan: str | None = None  # form of the selective scan; alone also "copy", see COPY
    args: Arguments = {}
    at_least: Ratio | None = None  # a rival's own floor: the subject this many times as fast
    exponent_at_most: Ratio | None = None  # of time against pixels; scaling only

    @property
    def label(self) -> str:
        """``medmamba_tiny (c scan)``, as tables show it."""
        if not self.model:
            return "copy of as many bytes" if self.scan == COPY else f"{self.scan} scan"
        return self.model + (f" ({self.scan} scan)" if self.scan else "")


class Race(Strict):
    """One subject against its rivals at one task."""

    name: str
    task: Literal["inference", "training", "scan", "scan backward"]
    image_size: Positive
    batch_size: Positive
    channels: Positive = 3  # of images; of a scan, the inner channels E
    num_classes: Positive = 8
    precision: Precision = "float32"
    subject: Contender
    rivals: Annotated[list[Contender], Field(min_length=1)]
    at_least: Ratio | None = None  # the subject against the fastest rival

    @model_validator(mode="after")
    def _named(self) -> Race:
        for contender in (self.subject, *self.rivals):
            if self.task.startswith("scan") and (contender.model or not contender.scan):
                raise ValueError(f"task {self.task!r} takes forms of the scan, not models")
            if not self.task.startswith("scan") and not contender.model:
                raise ValueError(f"task {self.task!r} needs a model for every contender")
        labels = [contender.label for contender in (self.subject, *self.rivals)]
        twice = [label for label in labels if labels.count(label) > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} stands twice in race {self.name!r}")
        return self


class Memory(Strict):
    """A ceiling on the peak memory of one process that runs one model."""

    name: str
    task: Literal["inference", "training"]
    image_size: Positive
    batch_size: Positive
    channels: Positive = 3
    num_classes: Positive = 8
    subject: Contender
    at_most_gib: Ratio


class Scaling(Strict):
    """Time against pixels, in the deploy form, over spans from a small to a large image."""

    name: str
    batch_size: Positive
    channels: Positive = 3
    num_classes: Positive = 8
    spans: Annotated[list[Span], Field(min_length=1)]
    contenders: Annotated[list[Contender], Field(min_length=1)]

    @model_validator(mode="after")
    def _spans_grow(self) -> Scaling:
        for small, large in self.spans:
            if small >= large:
                raise ValueError(f"spans: {small} px is not below {large} px")
        if any(not contender.model for contender in self.contenders):
            raise ValueError("contenders: scaling takes models")
        return self

    def at(self, image_size: int) -> Race:
        """One size of it, as a race of the first contender alone."""
        return Race(
            name=self.name,
            task="inference",
            image_size=image_size,
            batch_size=self.batch_size,
            channels=self.channels,
            num_classes=self.num_classes,
            subject=self.contenders[0],
            rivals=[Contender(model="(none)")],
        )


class RaceFile(Strict):
    """A file of races as it stands on disk."""

    about: str
    device: Literal["cpu", "cuda"] = "cpu"
    threads: Positive
    rounds: Annotated[int, Field(ge=8)]  # of each one visit a contender; 8 cover 94 %, not 95
    seconds_per_contender: Annotated[float, Field(gt=0)]
    race: Annotated[list[Race], Field(min_length=1)]
    memory: list[Memory] = []
    scaling: list[Scaling] = []

    @model_validator(mode="after")
    def _names_once(self) -> RaceFile:
        names = [race.name for race in self.race]
        names += [ceiling.name for ceiling in self.memory]
        names += [scaling.name for scaling in self.scaling]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"the name {twice[0]!r} is given twice")
        return self

    @property
    def contenders(self) -> list[Contender]:
        """Everyone who is timed or measured."""
        found = [c for race in self.race for c in (race.subject, *race.rivals)]
        found += [c for scaling in self.scaling for c in scaling.contenders]
        return found + [ceiling.subject for ceiling in self.memory]


def known_races() -> list[str]:
    """The names of the files in ``suites/races/``."""
    return sorted(path.stem for path in RACES.glob("*.toml"))


def load_races(name: str) -> tuple[str, RaceFile]:
    """A file of races by its name in ``suites/races/`` or by its path: ``(name, content)``.

    Raises:
        InputError: there is none, or it is not a valid one.
    """
    path = Path(name) if name.endswith(".toml") else RACES / f"{name}.toml"
    if not path.is_file():
        raise InputError(
            f"there are no races {name!r}", remedy=nearest(name, known_races()), key="NAME"
        )
    if path.resolve().parent != RACES and path.stem in known_races():
        raise InputError(
            f"its record would replace that of the project's races {path.stem!r}",
            remedy="rename the file",
            file=name,
        )
    return path.stem, read_toml(path, RaceFile)
