"""Logits of a split, as they are stored: float16."""

from __future__ import annotations

import contextlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bench.data.feed import Feed, batches
from bench.errors import RunFailed
from bench.specs import Precision

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def autocast(device: torch.device, precision: Precision) -> contextlib.AbstractContextManager[None]:
    """Mixed precision as the run asks; nothing for float32."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=DTYPES[precision])


def predict(
    model: nn.Module, split: Feed, *, batch_size: int, channels: int, precision: Precision
) -> NDArray[np.float16]:
    """Logits ``(N, C)`` in evaluation mode, in the split's order; the model's mode is restored.

    Every score is computed from these rounded values, so that a stored prediction gives the same
    score as the run did.

    Raises:
        RunFailed: a logit is not finite, or too large for float16.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), autocast(split.device, precision):
            parts = [
                model(images).float() for images, _ in batches(split, batch_size, channels=channels)
            ]
    finally:
        model.train(was_training)
    logits: NDArray[np.float16] = torch.cat(parts).cpu().numpy().astype(np.float16)
    if not np.isfinite(logits).all():
        raise RunFailed(f"a {split.name} logit is not finite in float16: training diverged")
    return logits
