"""A model as costs are measured of it: weights and inputs of noise, from one seed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from bench import models
from bench.specs import ModelSpec

INPUTS = 4  # distinct random batches fed in rotation


def built(
    spec: ModelSpec, *, num_classes: int, channels: int, image_size: int, seed: int
) -> nn.Module:
    """The model with fresh weights, on the CPU; the global generator is left as it was.

    Raises:
        InputError: there is no such model, or it cannot be built so.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return models.build(
            spec, num_classes=num_classes, in_chans=channels, image_size=image_size
        ).model


def placed(model: nn.Module, device: str, *, channels_last: bool) -> nn.Module:
    """The same model on the device, its weights in the memory order named."""
    order = torch.channels_last if channels_last else torch.contiguous_format
    moved: nn.Module = model.to(device).to(memory_format=order)
    return moved


def random_batches(
    shape: tuple[int, int, int, int], *, device: str, rng: np.random.Generator
) -> list[Tensor]:
    """``INPUTS`` batches of normal noise, the statistics of standardised images."""
    drawn = (rng.standard_normal(shape, dtype=np.float32) for _ in range(INPUTS))
    return [torch.from_numpy(batch).to(device) for batch in drawn]
