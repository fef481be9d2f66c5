"""A model as costs are measured of it: weights and inputs of noise, from one seed."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from pydantic import JsonValue
from torch import Tensor, nn

from bench import models
from bench.specs import ModelSpec

INPUTS = 4  # distinct random batches fed in rotation


@contextlib.contextmanager
def true_float32() -> Iterator[None]:
    """On a GPU, float32 is float32: no TF32, which is cuDNN's default in convolutions."""
    before = (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def release(device: str) -> None:
    """Give back what earlier models held, so that the next is measured as the first was."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


class Asked(Protocol):
    """What is asked for: a model, and the images that it is to take."""

    @property
    def model(self) -> ModelSpec: ...
    @property
    def num_classes(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def image_size(self) -> int: ...
    @property
    def device(self) -> str: ...


def built(asked: Asked, *, seed: int, image_size: int | None = None) -> nn.Module:
    """The model with fresh weights, on the CPU; the global generator is left as it was.

    Nothing has passed through it: the trial of two images that ``models.build`` makes would be the
    first pass, and the peak of memory, in place of the one that is measured.

    Args:
        image_size: in px, where it is not the one asked for.

    Raises:
        InputError: there is no such model, or it cannot be built so.
    """
    spec, size = asked.model, image_size or asked.image_size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wanted: dict[str, JsonValue] = {
            "num_classes": asked.num_classes,
            "in_chans": asked.channels,
        }
        models._check_weights_exist(spec)
        return models._call(spec, models._factory(spec), wanted, size).model


def placed(model: nn.Module, device: str, *, channels_last: bool) -> nn.Module:
    """The same model on the device, its weights in the memory order named."""
    order = torch.channels_last if channels_last else torch.contiguous_format
    moved: nn.Module = model.to(device).to(memory_format=order)
    return moved


def batches(
    asked: Asked, batch_size: int, *, rng: np.random.Generator, image_size: int | None = None
) -> list[Tensor]:
    """Batches of what is asked for, on its device."""
    size = image_size or asked.image_size
    shape = (batch_size, asked.channels, size, size)
    return random_batches(shape, device=asked.device, rng=rng)


def random_batches(
    shape: tuple[int, int, int, int], *, device: str, rng: np.random.Generator
) -> list[Tensor]:
    """``INPUTS`` batches of normal noise, the statistics of standardised images."""
    drawn = (rng.standard_normal(shape, dtype=np.float32) for _ in range(INPUTS))
    return [torch.from_numpy(batch).to(device) for batch in drawn]
