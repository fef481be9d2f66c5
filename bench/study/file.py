"""A study file (``suites/studies/*.toml``): models × data sets × seeds under one protocol."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bench.errors import InputError, nearest
from bench.specs import DatasetSpec, ModelSpec, Protocol, RunSpec, Strict, content_id, deciding
from bench.suite import data_identity, dataset_spec, load_protocol
from bench.suite_file import DatasetEntry, ModelEntry, Names, Seeds
from bench.toml_file import ROOT, read_toml, shown

STUDIES = ROOT / "suites" / "studies"

Text = Annotated[str, Field(min_length=1)]


class Practice(Strict):
    """On what others chose the checkpoint whose test score they print, and how that is known.

    Attributes:
        who: as a reader knows them.
        source: the beginning of the ``source`` of their rows in ``results/published.csv``.
        models: beginnings of the names of their own models there; empty: every model.
        chose_on: what their released code does.
        says: what was read.
        where: in what.
    """

    who: Text
    source: Text
    models: list[Text] = []
    chose_on: Literal["test", "validation", "last epoch"]
    says: Text
    where: Text


class StudyFile(Strict):
    """A study file as it stands on disk."""

    about: str
    protocol: str
    source_size: Annotated[int, Field(ge=8, le=1024)]
    image_size: Annotated[int, Field(ge=8, le=4096)]
    channels: Literal[1, 3] = 3
    threads: Annotated[int, Field(ge=1, le=1024)]
    models: Names
    datasets: Names
    seeds: Seeds
    model: dict[str, ModelEntry] = {}
    dataset: dict[str, DatasetEntry] = {}
    practice: list[Practice] = []

    @model_validator(mode="after")
    def _nothing_twice_or_unused(self) -> StudyFile:
        lists: dict[str, list[str] | list[int]] = {
            "models": self.models,
            "datasets": self.datasets,
            "seeds": self.seeds,
        }
        for key, values in lists.items():
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: give each once")
        for key, entries, used in (
            ("model", self.model, self.models),
            ("dataset", self.dataset, self.datasets),
        ):
            unused = [name for name in entries if name not in used]
            if unused:
                raise ValueError(f"{key}.{unused[0]}: {key}s does not name it")
        return self


@dataclass(frozen=True)
class Study:
    """A checked study: its file and its protocol."""

    name: str
    path: Path
    file: StudyFile
    protocol: Protocol

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

    @property
    def size(self) -> int:
        """How many trainings it asks for."""
        return len(self.file.models) * len(self.file.datasets) * len(self.file.seeds)

    def specs(self, checksums: dict[str, str]) -> list[RunSpec]:
        """Every training on the data sets whose checksum is known: those of an ordinary suite."""
        file = self.file
        return [
            RunSpec(
                model=model,
                data=data_identity(dataset, file.source_size, checksums[dataset.name]),
                image_size=file.image_size,
                channels=file.channels,
                control=None,
                protocol=self.protocol,
                seed=seed,
                device="cpu",
                precision="float32",
                threads=file.threads,
            )
            for dataset, seed, model in itertools.product(self.datasets, file.seeds, self.models)
            if dataset.name in checksums
        ]


def study_id(spec: RunSpec) -> str:
    """The identity of a training of a study; never that of a run, nor of a search's trial."""
    return content_id("selection-study", deciding(spec) | {"protocol": spec.protocol.deciding()})


def known_studies() -> list[str]:
    """The names of the files in ``suites/studies/``."""
    return sorted(path.stem for path in STUDIES.glob("*.toml"))


def load_study(name: str) -> Study:
    """A study by its name in ``suites/studies/`` or by its path.

    Raises:
        InputError: there is none, or it is not a valid one.
    """
    path = Path(name) if name.endswith(".toml") else STUDIES / f"{name}.toml"
    if not path.is_file():
        raise InputError(
            f"there is no study {name!r}", remedy=nearest(name, known_studies()), key="NAME"
        )
    file = read_toml(path, StudyFile)
    protocol, _ = load_protocol(file.protocol, path)
    if protocol.select == "last":
        raise InputError(
            f"the protocol {file.protocol!r} keeps the last epoch and chooses nothing",
            remedy="use one that selects on auc, acc or loss",
            file=shown(path),
            key="protocol",
        )
    return Study(path.stem, path, file, protocol)
