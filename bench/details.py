"""What decides one cell of a full cost measurement, beyond the costs that every suite measures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bench.specs import ModelSpec, Precision, Strict, content_id, deciding

Form = Literal["plain", "channels_last", "fused", "fused_channels_last", "compiled", "onnxruntime"]
"""How a model is run: eager as built or in its deploy form, contiguous or channels last; by
``torch.compile``; or by ONNX Runtime."""

Size = Annotated[int, Field(ge=8, le=4096)]
Batch = Annotated[int, Field(ge=1, le=65_536)]


class Detail(Strict):
    """What every cell says: what it measures, and on which machine."""

    detail: str
    device: Literal["cpu", "cuda"]
    device_name: str
    threads: Annotated[int, Field(ge=1, le=1024)]

    @property
    def id(self) -> str:
        """16 hex digits of SHA-256 over the kind and every field that is not at its default."""
        return content_id(self.detail, deciding(self))


class ModelDetail(Detail):
    """A cell of one model."""

    model: ModelSpec
    channels: Literal[1, 3]
    num_classes: Annotated[int, Field(ge=2)]
    image_size: Size

    @property
    def label(self) -> str:
        """``memory of resnet18 · 64 px``, for people."""
        return f"{self.detail} of {self.model.name} · {self.image_size} px"


class FormsSpec(ModelDetail):
    """One model in every form and precision, timed in turn."""

    detail: Literal["forms"] = "forms"
    batch_size: Batch
    forms: Annotated[list[Form], Field(min_length=1)]
    precisions: list[Precision]  # below float32, in which the channels-last form runs too


class MemorySpec(ModelDetail):
    """One model's peak memory and cold start, each in a fresh process."""

    detail: Literal["memory"] = "memory"
    batch_size: Batch


class ScalingSpec(ModelDetail):
    """One model's time and memory over image sizes at batch 1, and over batches at one size."""

    detail: Literal["scaling"] = "scaling"
    image_sizes: Annotated[list[Size], Field(min_length=2)]
    batch_sizes: Annotated[list[Batch], Field(min_length=2)]
    longest_pass_s: Annotated[float, Field(gt=0)]  # a longer pass ends the series


class MachineSpec(Detail):
    """What the machine itself can do: the limits that models are held against."""

    detail: Literal["machine"] = "machine"
    precisions: list[Precision]

    @property
    def label(self) -> str:
        """For people."""
        return f"limits of {self.device_name}"


DetailSpec = FormsSpec | MemorySpec | ScalingSpec | MachineSpec
