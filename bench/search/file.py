"""A search file (``suites/search/*.toml``): models × data sets × seeds × varied protocol values."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from bench.errors import InputError, nearest
from bench.specs import (
    DatasetSpec,
    ModelSpec,
    Protocol,
    RunSpec,
    Strict,
    content_id,
    deciding,
    describe_invalid,
)
from bench.suite import data_identity, dataset_spec, load_protocol
from bench.suite_file import DatasetEntry, ModelEntry, Names, Seeds
from bench.toml_file import ROOT, read_toml, shown

SEARCHES = ROOT / "suites" / "search"

Rates = Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)]


class Vary(Strict):
    """Values of the optimizer to try, every combination; an absent one stays the protocol's."""

    lr: Rates | None = None
    weight_decay: Rates | None = None


class SearchFile(Strict):
    """A search file as it stands on disk."""

    about: str
    protocol: str
    source_size: Annotated[int, Field(ge=8, le=1024)]
    image_size: Annotated[int, Field(ge=8, le=4096)]
    channels: Literal[1, 3] = 3
    threads: Annotated[int, Field(ge=1, le=1024)]
    models: Names
    datasets: Names
    seeds: Seeds
    vary: Vary = Vary()
    model: dict[str, ModelEntry] = {}
    dataset: dict[str, DatasetEntry] = {}

    @model_validator(mode="after")
    def _nothing_twice(self) -> SearchFile:
        for key, values in (
            ("models", self.models),
            ("datasets", self.datasets),
            ("seeds", self.seeds),
            ("vary.lr", self.vary.lr or []),
            ("vary.weight_decay", self.vary.weight_decay or []),
        ):
            twice = [value for value in values if list(values).count(value) > 1]
            if twice:
                raise ValueError(f"{key}: {twice[0]!r} is listed twice")
        for table, entries, used in (
            ("model", self.model, self.models),
            ("dataset", self.dataset, self.datasets),
        ):
            unused = [name for name in entries if name not in used]
            if unused:
                raise ValueError(f"{table}.{unused[0]}: {table}s does not name it")
        return self


@dataclass(frozen=True)
class Search:
    """A checked search: its file and every protocol it tries."""

    name: str
    path: Path
    file: SearchFile
    protocols: tuple[Protocol, ...]

    @property
    def models(self) -> list[ModelSpec]:
        """The models as the file describes them."""
        entries = self.file.model
        return [
            ModelSpec(name=name, **entries.get(name, ModelEntry()).model_dump())
            for name in self.file.models
        ]

    @property
    def datasets(self) -> list[DatasetSpec]:
        """The data sets as the file describes them."""
        folder = self.path.parent
        return [dataset_spec(name, self.file.dataset, folder) for name in self.file.datasets]

    def specs(self, checksums: dict[str, str]) -> list[RunSpec]:
        """Every trial on the data sets whose checksum is known, protocol by protocol."""
        file = self.file
        return [
            RunSpec(
                model=model,
                data=data_identity(dataset, file.source_size, checksums[dataset.name]),
                image_size=file.image_size,
                channels=file.channels,
                control=None,
                protocol=protocol,
                seed=seed,
                device="cpu",
                precision="float32",
                threads=file.threads,
            )
            for seed, protocol, model, dataset in itertools.product(
                file.seeds, self.protocols, self.models, self.datasets
            )
            if dataset.name in checksums
        ]


def trial_id(spec: RunSpec) -> str:
    """The identity of a trial; never that of a run, whose test split is opened."""
    return content_id("trial", deciding(spec) | {"protocol": spec.protocol.deciding()})


def known_searches() -> list[str]:
    """The names of the files in ``suites/search/``."""
    return sorted(path.stem for path in SEARCHES.glob("*.toml"))


def load_search(name: str) -> Search:
    """A search by its name in ``suites/search/`` or by its path.

    Raises:
        InputError: there is none, or it is not a valid one.
    """
    path = Path(name) if name.endswith(".toml") else SEARCHES / f"{name}.toml"
    if not path.is_file():
        raise InputError(
            f"there is no search {name!r}", remedy=nearest(name, known_searches()), key="NAME"
        )
    file = read_toml(path, SearchFile)
    base, _ = load_protocol(file.protocol, path)
    return Search(path.stem, path, file, tuple(_varied(base, file.vary, path)))


def _varied(base: Protocol, vary: Vary, path: Path) -> list[Protocol]:
    rates = vary.lr or [base.optimizer.lr]
    decays = vary.weight_decay or [base.optimizer.weight_decay]
    found = []
    for lr, decay in itertools.product(rates, decays):
        changed = base.model_dump()
        changed["optimizer"] |= {"lr": lr, "weight_decay": decay}
        try:
            found.append(Protocol.model_validate(changed))
        except ValidationError as error:
            raise InputError(
                describe_invalid(error), remedy="correct [vary]", file=shown(path)
            ) from None
    return found
