"""From a suite to the cells of its full cost measurement on a machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from bench.details import DetailSpec, FormsSpec, MachineSpec, MemorySpec, ScalingSpec
from bench.specs import ModelSpec
from bench.suite import Suite


def detail_specs(
    suite: Suite,
    device: Literal["cpu", "cuda"],
    device_name: str,
    models: Iterable[ModelSpec] | None = None,
) -> list[DetailSpec]:
    """The machine's limits, then three cells of each model (by default every one measured)."""
    settings, full = suite.settings, suite.settings.cost.full
    here = {"device": device, "device_name": device_name, "threads": settings.threads}
    cells: list[DetailSpec] = [MachineSpec.model_validate(here | {"precisions": full.precisions})]
    for model in suite.cost_models if models is None else models:
        common = here | {
            "model": model,
            "channels": settings.channels,
            "num_classes": settings.cost.num_classes,
            "image_size": settings.image_size,
        }
        batch = common | {"batch_size": settings.cost.batch_size}
        scaling = {
            "image_sizes": full.image_sizes,
            "batch_sizes": full.batch_sizes,
            "longest_pass_s": full.longest_pass_s,
        }
        forms = {"forms": full.forms, "precisions": full.precisions}
        cells += [
            FormsSpec.model_validate(batch | forms),
            MemorySpec.model_validate(batch),
            ScalingSpec.model_validate(common | scaling),
        ]
    return cells
