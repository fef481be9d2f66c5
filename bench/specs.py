"""What decides a run: plain, validated values, shared by every floor above.

Everything here goes into a run's identity, so nothing here may depend on where or when it runs.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

Task = Literal["binary-class", "multi-class", "multi-label, binary-class", "ordinal-regression"]
"""The four 2-D task names of ``medmnist.INFO``."""


class Strict(BaseModel):
    """Unknown keys are errors, and a value never changes after it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ModelSpec(Strict):
    """A model by its registered timm name, or by a function of the user's own.

    ``name`` is what tables show. ``factory`` (``module:function``) is called as timm's
    ``create_model`` would be: ``function(num_classes=…, in_chans=…, **args)``.
    """

    name: str = Field(min_length=1, max_length=60)
    timm: str | None = None  # the registered name, where it differs from ``name``
    factory: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$")
    args: dict[str, JsonValue] = {}
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
    options: dict[str, JsonValue] = {}  # phantoms only


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
