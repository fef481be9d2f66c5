"""What is known of a data set before its arrays are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.specs import Task

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class DatasetInfo:
    """A data set's outline, enough to plan runs and to build models.

    Attributes:
        channels: 1 (grey) or 3 (RGB).
        counts: images per split, keys ``train``, ``val``, ``test``.
        synthetic: made by a generator.
        label_preserving: names of augmentations that do not change the labels.
    """

    name: str
    task: Task
    class_names: tuple[str, ...]
    channels: int
    counts: Mapping[str, int]
    synthetic: bool
    label_preserving: frozenset[str]

    @property
    def num_classes(self) -> int:
        return len(self.class_names)


@dataclass(frozen=True)
class OwnOutline:
    """What the labels and the images' headers tell of a user's own data."""

    class_names: tuple[str, ...]
    channels: int
    counts: Mapping[str, int]
    multi_label: bool
