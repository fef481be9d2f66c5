"""What a file of weights says of itself: enough to build the network, feed it and read its answer.

It stands as JSON under one key of the safetensors header, so that any reader of safetensors, timm
among them, loads the weights without it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from bench.evaluation.scores import is_multi_label
from bench.records.base import Stored
from bench.specs import ModelSpec, Task

KEY = "medspectral-bench"  # of the header
RESIZING = "bilinear, antialiased, rounded to uint8"
LOWEST, HIGHEST = -1.0, 1.0  # fed values of uint8 0 and 255


class Effect(Stored):
    """What the temperature does to the stored predictions of one split.

    Attributes:
        ece, ece_calibrated: expected calibration error without and with it, a share.
        loss, loss_calibrated: mean cross-entropy, nats an image.
    """

    split: Literal["val", "test"]
    images: Annotated[int, Field(ge=1)]
    ece: float
    ece_calibrated: float
    loss: float
    loss_calibrated: float

    @property
    def better(self) -> bool:
        """Whether the probabilities are no worse with it, by cross-entropy."""
        return self.loss_calibrated <= self.loss


class Calibration(Stored):
    """The temperature that divides every logit, fitted on validation; None: there is none.

    Attributes:
        effects: on validation, whose images it was fitted on, and on test; empty in older files.
    """

    temperature: Annotated[float, Field(gt=0)] | None
    note: str | None
    effects: list[Effect] = []


class Chosen(Stored):
    """Which of several trainings this is; the test split plays no part in the choice."""

    seed: int
    of_seeds: list[int]
    epoch: int
    criterion: str  # e.g. "validation auc"
    value: float
    why: str


class WeightsMetadata(Stored):
    """The description of one file of weights.

    Attributes:
        run: id of the record whose training this is.
        predictions_sha256: of the record's predictions, which these weights gave again.
        arguments: with which the model was built.
        resizing: how an image comes to ``source_size``, and then to ``image_size``.
        fed: values that 0 and 255 become.
        content_sha256: over all of this but itself, and over the weights.
    """

    version: Literal[1] = 1
    run: str
    suite: str
    predictions_sha256: str
    source_digest: str
    packages: dict[str, str]
    model: ModelSpec
    arguments: dict[str, JsonValue]
    data: str
    data_checksum: str
    data_described: dict[str, JsonValue]
    licence: str
    synthetic: bool
    task: Task
    class_names: Annotated[list[str], Field(min_length=2)]
    data_channels: Literal[1, 3]
    channels: Literal[1, 3]
    source_size: Annotated[int, Field(ge=1)]
    image_size: Annotated[int, Field(ge=1)]
    resizing: str = RESIZING
    fed: tuple[float, float] = (LOWEST, HIGHEST)
    calibration: Calibration
    chosen: Chosen
    content_sha256: str = ""

    @property
    def last_step(self) -> str:
        """What makes probabilities of logits."""
        return "sigmoid" if is_multi_label(self.task) else "softmax"
