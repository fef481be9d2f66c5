"""``suites/regress/gate.toml``: what the gate looks at, and how much worse is a regression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from bench.details import Batch, Size
from bench.specs import DatasetSpec, Protocol, Strict
from bench.statistics.sequential import levels
from bench.toml_file import ROOT

GATE = ROOT / "suites" / "regress" / "gate.toml"

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Metric = Literal["throughput", "latency", "training step"]
Package = Annotated[str, Field(pattern=r"^\w+$")]


class Exact(Strict):
    """Numbers that have no noise: parameters, MACs, activation bytes, operators, bits."""

    models: Annotated[list[str], Field(min_length=1)]
    image_size: Size
    batch_size: Batch
    channels: Literal[1, 3]
    num_classes: Annotated[int, Field(ge=2)]


class Checks(Strict):
    """A short training under watch; each named check finds one silent fault."""

    model: str
    dataset: DatasetSpec
    source_size: Size
    image_size: Size
    parts: list[str] = []  # names of modules that a gradient must reach
    protocol: Protocol
    files: DatasetSpec | None = None  # a MedMNIST set, held against its file of 28 px
    resized_to: list[Size] = []  # px, at which the file's images are fed too
    choosing: Protocol | None = None  # of a training on them whose best epoch is not its last

    @model_validator(mode="after")
    def _files_are_fed_and_trained_on(self) -> Checks:
        if self.files is not None and (self.choosing is None or not self.resized_to):
            raise ValueError("files needs resized_to and the protocol choosing")
        return self


class Cell(Strict):
    """One model on one data set."""

    model: str
    dataset: DatasetSpec
    source_size: Size
    image_size: Size

    @property
    def label(self) -> str:
        """``test_medspectralnet on breastmnist``."""
        return f"{self.model} on {self.dataset.name}"


def check_labels(found: Sequence[Cell | Row]) -> None:
    """Refuse two of one label: their numbers would be taken together.

    Raises:
        ValueError: naming it.
    """
    labels = [one.label for one in found]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise ValueError(f"{min(twice)!r} stands there twice")


class Accuracy(Strict):
    """Trainings of both trees with the same seeds, more of them only while undecided."""

    margin: Annotated[float, Field(gt=0, lt=1)]  # of AUC
    alpha: Annotated[float, Field(gt=0, lt=0.5)]  # of the whole gate, shared out over the cells
    looks: Annotated[list[Count], Field(min_length=1)]  # pairs at each look
    protocol: Protocol
    cell: Annotated[list[Cell], Field(min_length=1)]

    @model_validator(mode="after")
    def _looks_grow(self) -> Accuracy:
        levels(self.alpha, self.looks)
        check_labels(self.cell)
        return self

    @property
    def alpha_of_cell(self) -> float:
        """Bonferroni over the cells."""
        return self.alpha / len(self.cell)


class Row(Strict):
    """One thing that is timed."""

    metric: Metric
    model: str
    image_size: Size
    batch_size: Batch
    rounds: Annotated[int, Field(ge=12)]  # of a block

    @property
    def label(self) -> str:
        """``throughput of medspectralnet, 64 px, batch 8``."""
        return f"{self.metric} of {self.model}, {self.image_size} px, batch {self.batch_size}"


class Limit(Strict):
    """When slower or larger is a regression, as shares of the baseline.

    Attributes:
        minimum_effect: less than this is never a regression.
        must_find: a pass needs this much to be ruled out, else the gate could not tell.
    """

    minimum_effect: Share
    must_find: Share

    @model_validator(mode="after")
    def _in_order(self) -> Limit:
        if self.minimum_effect >= self.must_find:
            raise ValueError("minimum_effect must be less than must_find")
        return self


class RunTime(Strict):
    """Both trees in one process, in turn, beside a second copy of the baseline."""

    limit: Limit
    across_processes: Limit  # against what another process of this machine told, long ago
    level: Annotated[float, Field(gt=0.9, lt=1)]  # of the interval of a ratio
    first_blocks: Count  # each block builds all anew and times ``rounds`` of a row
    most_blocks: Count
    channels: Literal[1, 3]
    num_classes: Annotated[int, Field(ge=2)]
    yardstick: str  # a model of timm that no tree changes: what histories are told against
    dataset: DatasetSpec  # of the training step
    source_size: Size
    protocol: Protocol
    row: Annotated[list[Row], Field(min_length=1)]

    @model_validator(mode="after")
    def _blocks_in_order(self) -> RunTime:
        if self.most_blocks < self.first_blocks:
            raise ValueError("most_blocks must be first_blocks at least")
        check_labels(self.row)
        return self


class Processes(Strict):
    """What needs a process of its own: peak memory of a training, processor time of the import."""

    model: str
    image_size: Size
    batch_size: Batch
    channels: Literal[1, 3]
    num_classes: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=2)]
    most_repeats: Annotated[int, Field(ge=2)]
    memory: Limit
    import_time: Limit


class GateFile(Strict):
    """The file as it stands on disk."""

    about: str
    threads: Count
    budget_minutes: Annotated[float, Field(gt=0)]
    packages: Annotated[list[Package], Field(min_length=1)]  # whose code is judged
    imports: Annotated[list[Package], Field(min_length=1)]  # of those, what registers the models
    exact: Exact
    checks: Checks | None = None
    accuracy: Accuracy | None = None
    run_time: RunTime | None = None
    processes: Processes | None = None

    @model_validator(mode="after")
    def _imports_are_packages(self) -> GateFile:
        strange = sorted(set(self.imports) - set(self.packages))
        if strange:
            raise ValueError(f"imports: {strange[0]!r} is not among packages")
        return self

    @property
    def judges_harness(self) -> bool:
        """Whether ``bench`` itself is judged, and not used as the instrument alone."""
        return "bench" in self.packages


def for_own(file: GateFile, package: str, models: Sequence[str]) -> GateFile:
    """The gate for another repository's models: the harness is the instrument, not on trial.

    Args:
        file: whose sizes, protocols and limits are taken.
        package: the one that registers the models.
        models: all are counted, the first is trained and timed.
    """
    first, accuracy, run_time = models[0], file.accuracy, file.run_time
    update = {"model": first}
    return file.model_copy(
        update={
            "packages": [package],
            "imports": [package],
            "exact": file.exact.model_copy(update={"models": list(models)}),
            "checks": file.checks
            and file.checks.model_copy(update=update | {"parts": [], "files": None}),
            "accuracy": accuracy
            and accuracy.model_copy(update={"cell": _with_model(accuracy.cell, first)}),
            "run_time": run_time
            and run_time.model_copy(update={"row": _with_model(run_time.row, first)}),
            "processes": file.processes and file.processes.model_copy(update=update),
        }
    )


OfModel = TypeVar("OfModel", Cell, Row)


def _with_model(found: Sequence[OfModel], model: str) -> list[OfModel]:
    """One of each label: what differed by its model alone is one now."""
    renamed = [one.model_copy(update={"model": model}) for one in found]
    return list({one.label: one for one in renamed}.values())


def gate_path(path: Path | None) -> Path:
    """The file asked for, or the project's own."""
    return path or GATE
