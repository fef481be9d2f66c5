"""What decides a run: plain, validated values, shared by every floor above.

Everything here goes into a run's identity, so nothing here may depend on where or when it runs.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

Task = Literal["binary-class", "multi-class", "multi-label, binary-class", "ordinal-regression"]
"""The four 2-D task names of ``medmnist.INFO``."""


Arguments = dict[str, JsonValue]
"""Keyword arguments as a suite gives them."""


class Strict(BaseModel):
    """Unknown keys are errors, and a value never changes after it was checked.

    JSON has no NaN and no infinity: a value that cannot be stored cannot be part of an id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelSpec(Strict):
    """A model by its registered timm name, or by a function of the user's own.

    ``name`` is what tables show. ``factory`` (``module:function``) is called as timm's
    ``create_model`` would be: ``function(num_classes=…, in_chans=…, **args)``.
    """

    name: str = Field(min_length=1, max_length=60)
    timm: str | None = None  # the registered name, where it differs from ``name``
    factory: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$")
    args: Arguments = {}
    pretrained: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> ModelSpec:
        if self.timm is not None and self.factory is not None:
            raise ValueError("give either timm or factory, not both")
        return self


class DatasetSpec(Strict):
    """A data set by name (MedMNIST flag or phantom), or the user's own by ``path``."""

    name: str = Field(min_length=1, max_length=60)
    path: str | None = None  # a folder split/class/image, or an .npz in MedMNIST's form
    task: Task | None = None  # own data only
    classes: list[str] | None = None  # own .npz only: names in label order
    label_preserving: list[str] = []  # own data only: augmentations that keep its labels
    options: Arguments = {}  # phantoms only


class Control(Strict):
    """An input control: what is taken away from every image of train, val and test alike."""

    kind: Literal["blur", "shuffle"]
    sigma: Annotated[float, Field(gt=0, le=32)] | None = None  # blur: pixels of the fed image
    grid: Annotated[int, Field(ge=2, le=32)] | None = None  # shuffle: grid × grid patches

    @model_validator(mode="after")
    def _own_parameter(self) -> Control:
        wanted, other = ("sigma", "grid") if self.kind == "blur" else ("grid", "sigma")
        if getattr(self, wanted) is None:
            raise ValueError(f"control {self.kind!r} needs {wanted}")
        if getattr(self, other) is not None:
            raise ValueError(f"control {self.kind!r} takes no {other}")
        return self

    @property
    def label(self) -> str:
        """``blur-2`` or ``shuffle-4``, as tables show it."""
        return f"{self.kind}-{self.sigma if self.kind == 'blur' else self.grid:g}"


class Optimizer(Strict):
    """One of timm's optimizers; weight decay spares biases, norms and what the model exempts."""

    name: Literal["adamw", "adam", "sgd"]
    lr: Annotated[float, Field(gt=0, le=10)]
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9  # sgd only


class Schedule(Strict):
    """How the learning rate goes: per update for ``cosine``, per epoch for ``multistep``."""

    name: Literal["constant", "cosine", "multistep"] = "constant"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    final_lr_fraction: Annotated[float, Field(ge=0, le=1)] = 0.0  # cosine only
    milestones: list[Annotated[int, Field(ge=1)]] = []  # multistep only, in epochs
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1  # multistep only


Sampling = Literal["shuffled", "balanced"]
"""An epoch's images: each once in random order, or drawn so that all classes come equally often."""


class Protocol(Strict):
    """How every model of a suite is trained and its checkpoint chosen.

    ``about`` and ``source`` are prose and decide nothing; every other field is in the run's id.
    """

    about: str
    source: str
    epochs: Annotated[int, Field(ge=1, le=10_000)]
    least_updates: Annotated[int, Field(ge=1)] | None = None  # more passes where there are fewer
    batch_size: Annotated[int, Field(ge=2, le=65_536)]
    sampling: Sampling = "shuffled"
    eval_batch_size: Annotated[int, Field(ge=1, le=65_536)] = 256
    optimizer: Optimizer
    schedule: Schedule = Schedule()
    augment: dict[str, Annotated[float, Field(gt=0)]] = {}  # name: strength (bench/data/augment)
    augment_count: Annotated[int, Field(ge=1)] | None = None  # of those an image gets; None: all
    select: Literal["auc", "acc", "loss", "last"]  # on the validation split
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    class_weights: Literal["none", "balanced"] = "none"
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    clip_grad_norm: Annotated[float, Field(gt=0)] | None = None
    drop_path_rate: Annotated[float, Field(ge=0, lt=1)] | None = None  # None: the model's own
    accumulate: Annotated[int, Field(ge=1)] = 1  # parts in which a batch passes the network
    shuffle_labels: bool = False  # a control of the harness: training labels at random

    @model_validator(mode="after")
    def _warmup_fits(self) -> Protocol:
        if self.schedule.warmup_epochs >= self.epochs:
            raise ValueError("schedule.warmup_epochs must be less than epochs")
        if self.schedule.name == "multistep" and not self.schedule.milestones:
            raise ValueError("schedule 'multistep' needs milestones")
        if self.accumulate > self.batch_size // 2:
            raise ValueError(
                f"accumulate is {self.accumulate}: parts of a batch of {self.batch_size} need two "
                "images each"
            )
        return self

    @model_validator(mode="after")
    def _corrects_once(self) -> Protocol:
        if self.sampling == "balanced" and self.class_weights == "balanced":
            raise ValueError(
                "sampling and class_weights are both 'balanced', which corrects for rare classes "
                "twice: use one"
            )
        return self

    @model_validator(mode="after")
    def _count_fits(self) -> Protocol:
        if self.augment_count is not None and self.augment_count > len(self.augment):
            raise ValueError(
                f"augment_count is {self.augment_count}, augment lists {len(self.augment)}"
            )
        return self

    def deciding(self) -> dict[str, JsonValue]:
        """The fields that decide a result, as ``deciding`` gives them for any spec."""
        return deciding(self, without={"about", "source"})


class DataIdentity(Strict):
    """Which bytes a run saw (the checksum, not the path) and what the suite said of them.

    ``described`` holds what a checksum of arrays does not: the task, class names and
    label-preserving augmentations of own data; and a phantom's options, to tell suites apart.
    """

    name: str
    checksum: str
    source_size: int
    described: dict[str, JsonValue] = {}


Precision = Literal["float32", "bfloat16", "float16"]
Compiled = Literal["default", "reduce-overhead"]
"""Modes of ``torch.compile`` for the training passes; the second replays CUDA graphs."""


class RunSpec(Strict):
    """All that decides one training's result; ``id`` is its hash."""

    model: ModelSpec
    data: DataIdentity
    image_size: int
    channels: Literal[1, 3]
    control: Control | None
    protocol: Protocol
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]
    device: Literal["cpu", "cuda"]
    precision: Precision
    threads: Annotated[int, Field(ge=1, le=1024)]
    deterministic: bool = False  # on a GPU; on a CPU the same run gives the same bits anyway
    compiled: Compiled | None = None

    @property
    def id(self) -> str:
        """16 hex digits of SHA-256 over the canonical JSON of every deciding field."""
        return content_id("training", deciding(self) | {"protocol": self.protocol.deciding()})

    @property
    def cell_key(self) -> str:
        """What a suite can know of a run before data and device are: the id without those."""
        known = deciding(self, without={"device", "precision", "deterministic"})
        data = deciding(self.data, without={"checksum"})
        return content_id("cell", known | {"data": data, "protocol": self.protocol.deciding()})

    @property
    def label(self) -> str:
        """``medspectralnet · breastmnist · blur-2 · seed 0``, for people."""
        control = [self.control.label] if self.control else []
        return " · ".join([self.model.name, self.data.name, *control, f"seed {self.seed}"])


class CostSpec(Strict):
    """All that decides one cost measurement, the machine included."""

    model: ModelSpec
    image_size: int
    channels: Literal[1, 3]
    num_classes: Annotated[int, Field(ge=2)]
    device: Literal["cpu", "cuda"]
    device_name: str
    precision: Precision
    threads: Annotated[int, Field(ge=1, le=1024)]
    batch_size: Annotated[int, Field(ge=1)]
    channels_last: bool

    @property
    def id(self) -> str:
        """16 hex digits of SHA-256 over the canonical JSON of every field."""
        return content_id("cost", deciding(self))

    @property
    def label(self) -> str:
        """``cost of resnet18 · 64 px``, for people."""
        return f"cost of {self.model.name} · {self.image_size} px"


def deciding(spec: Strict, without: set[str] | None = None) -> dict[str, JsonValue]:
    """The fields of ``spec`` as JSON, those at their default left out.

    So a field added later with a default that means "as before" leaves old ids as they are; the
    default of a field that exists must never change.
    """
    return spec.model_dump(mode="json", exclude=without, exclude_defaults=True)


def content_id(kind: str, content: dict[str, JsonValue]) -> str:
    """Hash of ``kind`` and ``content``, the same on every machine and Python."""
    text = json.dumps([kind, content], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def foremost(error: ValidationError) -> ErrorDetails:
    """The fault to name first: an unknown key, since a misspelt one causes a missing one too."""
    faults = error.errors(include_url=False)
    return next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])


def describe_invalid(error: ValidationError) -> str:
    """The foremost fault of a pydantic error as ``key: what is wrong``, and how many more."""
    fault = foremost(error)
    where = list(fault["loc"])
    if fault["type"] == "finite_number" and where[-1:] == ["float"]:  # the kind of value, not a key
        where.pop()
    key = ".".join(str(part) for part in where)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key"
    elif fault["type"] == "finite_number":
        message = f"{fault['input']} cannot be stored; give a finite number"
    elif fault["type"] in (
        "literal_error",
        "greater_than",
        "greater_than_equal",
        "less_than_equal",
    ):
        message = f"{message[0].lower()}{message[1:]}, not {fault['input']!r}"
    return f"{key}: {message}{more}" if key else f"{message}{more}"
