"""The state of every generator that a training may draw from without being handed it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def global_states(device: torch.device) -> dict[str, Any]:
    """Python's, NumPy's and torch's global generators, in plain values and tensors."""
    name, words, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(np.asarray(words).astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
    }
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_global_states(states: dict[str, Any], device: torch.device) -> None:
    """Put them where :func:`global_states` found them."""
    random.setstate(states["python"])
    name, words, *rest = states["numpy"]
    np.random.set_state((name, words.cpu().numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(states["torch"].cpu())
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"].cpu(), device)
