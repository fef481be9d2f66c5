"""A split as batches on the device: uint8 at the fed size, made float batch by batch.

``Resident`` holds the whole split prepared; ``Streamed`` leaves the stored images where they are
(a file mapped into memory) and prepares each batch. Both feed the same bits. There are no worker
processes: a batch is an index into a tensor, or one read and one resize.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.data.buffers import Buffers
from bench.data.cache import Cache
from bench.data.dataset import Split
from bench.data.preparation import Preparation
from bench.data.sampling import epoch_index
from bench.data.transform import normalise
from bench.specs import Control, Sampling

CHUNK = 256  # images; bounds the float copies made while a whole split is prepared


class Feed(Protocol):
    """One split as a training or a prediction reads it."""

    @property
    def name(self) -> str: ...

    @property
    def labels(self) -> Tensor:
        """On the device, as in ``Split``."""

    @property
    def device(self) -> torch.device: ...

    def __len__(self) -> int: ...

    @property
    def index_device(self) -> torch.device:
        """Where an index lies that ``images`` takes: moved there once a pass, not once a batch."""

    def images(self, part: slice | Tensor) -> Tensor:
        """The images at ``part`` (a slice, or int64 ``(B,)`` on ``index_device``).

        Returns:
            ``(B, C, S, S)`` uint8 at the fed size, on the device, C 1 or 3.
        """

    def relabelled(self, labels: Tensor) -> Feed:
        """The same images with other labels."""


class Resident:
    """A split on the device: images ``(N, C, S, S)`` uint8 at the fed size, labels as in Split."""

    def __init__(self, name: str, images: Tensor, labels: Tensor) -> None:
        self.name = name
        self.labels = labels
        # last in memory, the channels of a pixel are read together and written together
        self._pixels = images.permute(0, 2, 3, 1).contiguous()  # (N, S, S, C)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        return self._pixels.device

    @property
    def index_device(self) -> torch.device:
        return self.device

    def images(self, part: slice | Tensor) -> Tensor:
        """See ``Feed``; a slice is a view."""
        if isinstance(part, slice):
            chosen = self._pixels[part]
        else:
            chosen = self._pixels.index_select(0, part)
        return chosen.permute(0, 3, 1, 2)

    def relabelled(self, labels: Tensor) -> Resident:
        return Resident(self.name, self.images(slice(None)), labels)


@dataclass(frozen=True)
class Streamed:
    """A split whose stored images ``(N, H, W, C)`` stay where they are until a batch asks."""

    name: str
    stored: NDArray[np.uint8]
    labels: Tensor
    preparation: Preparation

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        return self.labels.device

    @property
    def index_device(self) -> torch.device:
        return torch.device("cpu")  # where what is stored is read

    def images(self, part: slice | Tensor) -> Tensor:
        """See ``Feed``; each call reads and prepares anew."""
        rows = torch.arange(len(self))[part]
        read = torch.from_numpy(np.take(self.stored, rows.numpy(), axis=0))
        return self.preparation(read.to(self.device), rows)

    def relabelled(self, labels: Tensor) -> Streamed:
        return replace(self, labels=labels)


def make_resident(
    split: Split,
    *,
    image_size: int,
    channels: int,
    control: Control | None,
    device: torch.device,
    cache: Cache | None = None,
    origin: str = "",
) -> Resident:
    """Prepare a whole split on the device and keep it there.

    Grey images become three equal channels only in the batch, where ``channels`` is 3.

    Args:
        cache: keeps what is prepared on a CPU; a GPU prepares faster than a file is read.
        origin: what the images and the code that prepares them are, for the cache's key.

    Raises:
        ValueError: colour images where one channel is asked for.
    """
    preparation = Preparation.of(split, image_size=image_size, channels=channels, control=control)
    labels = torch.from_numpy(split.labels).to(device)
    shape = (len(split), image_size, image_size, split.images.shape[-1])
    if device.type != "cpu":
        pixels = torch.cat(list(_prepared(split, preparation, device)))
    elif not preparation.changes(split):
        pixels = torch.from_numpy(np.require(split.images, requirements=["C", "W"]))
    else:
        key = f"{origin} {split.name} {shape} {control.model_dump_json() if control else None}"

        def made() -> Iterator[NDArray[np.uint8]]:
            return (chunk.numpy() for chunk in _prepared(split, preparation, device))

        kept = (cache or Cache(None)).array(key, shape, made, copy_on_write=True)
        pixels = torch.from_numpy(kept)
    return Resident(split.name, pixels.permute(0, 3, 1, 2), labels)


def _prepared(split: Split, preparation: Preparation, device: torch.device) -> Iterator[Tensor]:
    """The whole split in chunks ``(B, S, S, C)``."""
    for start in range(0, len(split), CHUNK):
        rows = slice(start, min(start + CHUNK, len(split)))
        read = torch.from_numpy(np.array(split.images[rows])).to(device)
        yield preparation(read, rows).permute(0, 2, 3, 1).contiguous()


def make_streamed(
    split: Split, *, image_size: int, channels: int, control: Control | None, device: torch.device
) -> Streamed:
    """A split of which nothing is read before a batch asks for it.

    Raises:
        ValueError: colour images where one channel is asked for.
    """
    preparation = Preparation.of(split, image_size=image_size, channels=channels, control=control)
    labels = torch.from_numpy(split.labels).to(device)
    return Streamed(split.name, np.asarray(split.images), labels, preparation)


def batches(
    feed: Feed,
    batch_size: int,
    *,
    channels: int,
    order: torch.Generator | None = None,
    sampling: Sampling = "shuffled",
    skip: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of normalised images ``(B, channels, S, S)`` float32 and their labels.

    Images are channels_last in memory.

    With ``order`` (a CPU generator) the images come shuffled, and a last batch of one image is
    left out, since batch normalisation cannot train on it. Without, in file order and whole.

    Args:
        skip: batches left out at the start. The permutation is drawn all the same, so that a
            resumed pass goes on where it stood.
    """
    count, buffers = len(feed), Buffers()
    index = None
    if order is not None:
        index = epoch_index(feed.labels, sampling, order).to(feed.index_device)
        count -= int(count % batch_size == 1 and count > 1)
    for start in range(skip * batch_size, count, batch_size):
        chosen = slice(start, min(start + batch_size, count))
        part = chosen if index is None else index[chosen]
        labelled = part if isinstance(part, slice) else part.to(feed.device)
        yield _normalised(feed.images(part), channels, buffers), feed.labels[labelled]


def _normalised(images: Tensor, channels: int, buffers: Buffers) -> Tensor:
    count, _, height, width = images.shape
    return normalise(
        images, channels, buffers.take((count, height, width, channels), images.device)
    )
