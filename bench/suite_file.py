"""A suite's TOML as it stands in the file."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from bench.details import Batch, Form, Size
from bench.errors import nearest
from bench.specs import Arguments, Compiled, Control, Precision, Strict, Task

NO_CONTROL = "none"
SUBJECT = "medspectralnet"
"""Which model a suite is about where it does not say."""


class ModelEntry(Strict):
    """``[model.NAME]``: a model that is not simply a registered name."""

    timm: str | None = None
    factory: str | None = None
    args: Arguments = {}
    pretrained: bool = False


class DatasetEntry(Strict):
    """``[dataset.NAME]``: own data by ``path``, or a phantom's ``options``."""

    path: str | None = None
    task: Task | None = None
    classes: list[str] | None = None
    label_preserving: list[str] = []
    options: Arguments = {}


Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], Field(min_length=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0, le=2**31 - 1)]], Field(min_length=1)]


class Grid(Strict):
    """``[[grid]]``: every combination of its lists is one run."""

    models: Names
    datasets: Names
    seeds: Seeds
    controls: Annotated[list[str], Field(min_length=1)] = [NO_CONTROL]


class FullOptions(Strict):
    """``[cost.full]``: what ``measure --full`` adds, each model's cell by cell."""

    forms: Annotated[list[Form], Field(min_length=1)] = list(get_args(Form))
    precisions: list[Precision] = ["bfloat16", "float16"]  # where the device has them
    seconds_per_form: Annotated[float, Field(gt=0, le=3600)] = 3.0
    image_sizes: Annotated[list[Size], Field(min_length=2)] = [28, 56, 112, 224, 448, 1024]
    batch_sizes: Annotated[list[Batch], Field(min_length=2)] = [1, 2, 4, 8, 16, 32, 64, 128]
    longest_pass_s: Annotated[float, Field(gt=0)] = 10.0

    @model_validator(mode="after")
    def _plain_is_there(self) -> FullOptions:
        if "plain" not in self.forms:
            raise ValueError("forms must hold 'plain': the others are compared with it")
        for key in ("forms", "precisions", "image_sizes", "batch_sizes"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: give each value once")
        return self


class CostOptions(Strict):
    """``[cost]``: how the suite's models are measured, with a head of ``num_classes``."""

    models: Names | None = None  # None: those of the grids

    num_classes: Annotated[int, Field(ge=2, le=100_000)]
    batch_size: Annotated[int, Field(ge=1, le=65_536)]
    seconds_per_model: Annotated[float, Field(gt=0, le=3600)]
    channels_last: bool = True  # memory order; trainings always use it
    full: FullOptions = FullOptions()


class StatisticsOptions(Strict):
    """``[statistics]``: what is compared, and how large a difference matters; decides no run."""

    subject: str | None = None  # None: SUBJECT, where the suite trains it
    region: Annotated[float, Field(ge=0, le=0.2, allow_inf_nan=False)] = 0.005  # a share


class SuiteFile(Strict):
    """A suite's TOML as it stands in the file."""

    about: str
    protocol: str
    source_size: Annotated[int, Field(ge=8, le=1024)]
    image_size: Annotated[int, Field(ge=8, le=4096)]
    channels: Literal[1, 3] = 3
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision | Literal["auto"] = "auto"
    threads: Annotated[int, Field(ge=1, le=1024)]
    deterministic: bool = False  # the same bits on a GPU too, at some cost in speed
    compiled: Compiled | None = None  # torch.compile for the training passes
    grid: list[Grid] = []
    control: dict[str, Control] = {}
    model: dict[str, ModelEntry] = {}
    dataset: dict[str, DatasetEntry] = {}
    cost: CostOptions
    statistics: StatisticsOptions = StatisticsOptions()

    @property
    def subject(self) -> str | None:
        """The model that the others are compared with; None where the suite does not train it."""
        return self.statistics.subject or (SUBJECT if SUBJECT in self._trained else None)

    @property
    def _trained(self) -> set[str]:
        return {model for grid in self.grid for model in grid.models}

    @model_validator(mode="after")
    def _something_to_do(self) -> SuiteFile:
        if not self.grid and self.cost.models is None:
            raise ValueError("grid: name what is trained, or cost.models what is only measured")
        return self

    @model_validator(mode="after")
    def _subject_is_trained(self) -> SuiteFile:
        subject = self.statistics.subject
        if subject is not None and subject not in self._trained:
            near = nearest(subject, self._trained) if self.grid else "there is no grid"
            raise ValueError(f"statistics.subject: no grid trains {subject!r}; {near}")
        return self
