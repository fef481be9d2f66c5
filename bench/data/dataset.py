"""A data set: three splits of which the test split is locked until training is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.errors import TestSplitLocked
from bench.specs import Task


@dataclass(frozen=True)
class Split:
    """Images ``(N, H, W, C)`` uint8, C 1 or 3; labels int64 ``(N,)``, multi-label ``(N, L)``.

    Images that are streamed are a read-only map of a file.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)


class Frozen(Protocol):
    """Evidence that training and selection are over: only the trainer makes one."""

    @property
    def is_final(self) -> bool: ...


class LockedSplit:
    """The test split, unreadable until shown a finished selection, and opened once.

    Nothing of it but its length can be seen before ``open``; ``opened_at`` goes into the record. An
    audit of the data, made without any model, has a door of its own, and so has the study of what
    choosing on the test split would gain.
    """

    __slots__ = ("_length", "_reveal", "opened_at")
    _reveal: Callable[[], Split]  # a closure, so that no attribute leads to the images

    def __init__(self, split: Split) -> None:
        self._reveal = lambda: split
        self._length = len(split)
        self.opened_at: datetime | None = None

    @classmethod
    def later(cls, length: int, read: Callable[[], Split]) -> LockedSplit:
        """A lock on a split of which nothing is read before it opens, but its length."""
        locked = cls.__new__(cls)
        locked._reveal, locked._length, locked.opened_at = read, length, None
        return locked

    def __len__(self) -> int:
        return self._length

    def __getattr__(self, name: str) -> object:
        raise TestSplitLocked(f"test.{name}: the test split is locked until selection is over")

    def open(self, selection: Frozen) -> Split:
        """The split, against a finished selection.

        Raises:
            TestSplitLocked: the selection is not final, or the split was opened before.
        """
        if not getattr(selection, "is_final", False):
            raise TestSplitLocked("test split asked for before selection was over")
        if self.opened_at is not None:
            raise TestSplitLocked(f"test split was opened before, at {self.opened_at.isoformat()}")
        self.opened_at = datetime.now(UTC)
        return self._reveal()

    def read_for_audit(self) -> Split:
        """The split for an audit of the data itself, which trains, predicts and chooses nothing.

        It does not count as opening. ``bench.data.audit`` alone calls it (a test holds it so).
        """
        return self._reveal()

    def read_for_study(self) -> Split:
        """The split for a study of how choosing on it flatters; no comparison shows its scores.

        It does not count as opening. ``bench.study`` alone calls it (a test holds it so).
        """
        return self._reveal()

    def locked_again(self) -> LockedSplit:
        """A new lock on the same images, for the next run."""
        return LockedSplit.later(self._length, self._reveal)


@dataclass(frozen=True)
class Source:
    """Where the arrays came from. ``checksum`` decides the run's identity.

    Attributes:
        path: the file or folder read, or ``synthetic``.
        checksum: ``md5:…`` of an official file, ``sha256:…`` of the arrays otherwise.
        official: True: the official file; False: whole, but not the official bytes; None: no such
            thing (own data, phantoms).
        synthetic: made by a generator, never to be mixed with real data in one table.
        licence: as the data's makers state it; empty when unknown.
        note: one sentence a table must carry, or empty.
    """

    path: str
    checksum: str
    official: bool | None
    synthetic: bool = False
    licence: str = ""
    note: str = ""


@dataclass(frozen=True)
class Dataset:
    """Three splits and what is known of them.

    Attributes:
        label_preserving: names of augmentations that do not change this data set's labels.
    """

    name: str
    task: Task
    class_names: tuple[str, ...]
    source_size: int
    source: Source
    label_preserving: frozenset[str]
    train: Split
    val: Split
    test: LockedSplit

    def for_next_run(self) -> Dataset:
        """The same data with its test split locked anew: each run opens it once."""
        return replace(self, test=self.test.locked_again())

    @property
    def channels(self) -> int:
        return int(self.train.images.shape[-1])

    @property
    def num_classes(self) -> int:
        return len(self.class_names)
