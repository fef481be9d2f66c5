"""Splits resident on the device: resized once, kept as uint8, made float batch by batch.

No worker processes: a split is decoded once, and a batch is an index into a tensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.data.controls import apply_control
from bench.data.dataset import Split
from bench.data.sampling import epoch_index
from bench.data.transform import normalise, resize
from bench.specs import Control, Sampling

CONTROL_SEED = 0x5EED
"""Controls draw from streams of their own, one a split: all models see the same images."""

RESIZE_CHUNK = 1024  # images; bounds the float copy made while resizing


@dataclass(frozen=True)
class Resident:
    """One split on a device: images ``(N, C, H, W)`` uint8 at the fed size, labels as in Split."""

    name: str
    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        return self.images.device


def make_resident(
    split: Split, *, image_size: int, channels: int, control: Control | None, device: torch.device
) -> Resident:
    """Move a split to the device, resize it there, apply the input control.

    Grey images become three equal channels only in the batch, where ``channels`` is 3.
    """
    images = torch.from_numpy(split.images)
    if images.shape[-1] > channels:
        raise ValueError(f"images have {images.shape[-1]} channels, the suite asks for {channels}")
    parts = [
        resize(chunk.to(device).permute(0, 3, 1, 2), image_size)
        for chunk in images.split(RESIZE_CHUNK)
    ]
    resized = torch.cat(parts)
    if control is not None:
        stream = torch.Generator().manual_seed(CONTROL_SEED + _SPLITS.index(split.name))
        resized = apply_control(resized, control, stream)
    return Resident(split.name, resized, torch.from_numpy(split.labels).to(device))


_SPLITS = ("train", "val", "test")


def batches(
    resident: Resident,
    batch_size: int,
    *,
    channels: int,
    order: torch.Generator | None = None,
    sampling: Sampling = "shuffled",
    skip: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of normalised images ``(B, channels, H, W)`` float32 and their labels.

    With ``order`` (a CPU generator) the images come shuffled, and a last batch of one image is
    left out, since batch normalisation cannot train on it. Without, in file order and whole.
    """
    count = len(resident)
    index = None
    if order is not None:
        index = epoch_index(resident.labels, sampling, order).to(resident.device)
        count -= int(count % batch_size == 1 and count > 1)
    for start in range(skip * batch_size, count, batch_size):
        chosen = slice(start, min(start + batch_size, count))
        part = chosen if index is None else index[chosen]
        yield normalise(resident.images[part], channels), resident.labels[part]
