"""A file of weights asked about images: class probabilities, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.data.transform import normalise, resize
from bench.errors import InputError
from bench.evaluation.scores import probabilities
from bench.models import build
from bench.release.file import Weights
from bench.release.images import Picture
from bench.release.metadata import WeightsMetadata

BATCH = 64


@dataclass(frozen=True)
class Classifier:
    """The network in evaluation mode, and what is known of it."""

    metadata: WeightsMetadata
    model: nn.Module

    def logits(self, fed: Tensor) -> NDArray[np.float32]:
        """Of images as ``fed`` gives them: ``(N, C)``."""
        with torch.inference_mode():
            parts = [self.model(batch).float() for batch in fed.split(BATCH)]
        return torch.cat(parts).numpy()

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Calibrated by the temperature, if there is one: ``(N, C)``."""
        scaled = logits.astype(np.float64) / (self.metadata.calibration.temperature or 1.0)
        return probabilities(scaled, self.metadata.task)


def restored(weights: Weights) -> Classifier:
    """Build the network and load its weights, every name and shape.

    Raises:
        InputError: the network cannot be built, or the weights are another's.
    """
    metadata = weights.metadata
    spec = metadata.model.model_copy(update={"pretrained": False})
    if spec.factory is not None:
        raise InputError(
            f"names code to be run ({spec.factory}), which a file of weights must not",
            remedy="give one that `python -m bench weights` wrote",
        )
    with torch.random.fork_rng(devices=[]):  # fresh weights, replaced at once
        model = build(
            spec,
            num_classes=len(metadata.class_names),
            in_chans=metadata.channels,
            image_size=metadata.image_size,
        ).model
    try:
        model.load_state_dict(weights.state)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise InputError(
            f"its weights do not fit {spec.name!r}: {first[:160]}",
            remedy="make it anew: python -m bench weights SUITE",
        ) from None
    return Classifier(metadata, model.eval())


def fed(pictures: Sequence[Picture], metadata: WeightsMetadata) -> Tensor:
    """Stored images as the training fed them: ``(N, channels, image_size, image_size)`` float32."""
    stored = torch.from_numpy(np.stack([picture.pixels for picture in pictures]))
    return fed_pixels(stored, metadata)


def fed_pixels(stored: Tensor, metadata: WeightsMetadata) -> Tensor:
    """The same of stored images ``(N, S, S, C)`` uint8."""
    return normalise(resize(stored.permute(0, 3, 1, 2), metadata.image_size), metadata.channels)
