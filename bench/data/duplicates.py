"""Images that are the same to the last bit, and groups made of pairs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]


def content_numbers(parts: Sequence[NDArray[np.uint8]]) -> Ints:
    """One number ``(N,)`` for each image of all ``parts`` in turn; equal numbers, equal bytes.

    Numbers rise with the first image of a content. The bytes are compared by their SHA-256.
    """
    seen: dict[bytes, int] = {}
    images = (image for part in parts for image in part)
    digests = (hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in images)
    return np.array([seen.setdefault(digest, len(seen)) for digest in digests], dtype=np.int64)


def groups_of_equal(numbers: Ints) -> list[Ints]:
    """Places ``(n,)`` of each number that occurs more than once, rising; by first place."""
    order = np.argsort(numbers, kind="stable")
    runs = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)
    return [run for run in runs if len(run) > 1]


def connected_groups(pairs: Ints, count: int) -> list[Ints]:
    """Of ``count`` images those that ``pairs`` ``(P, 2)`` connect, rising; by first image."""
    links = np.ones(len(pairs), dtype=bool)
    graph = coo_array((links, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, numbers = connected_components(graph, directed=False)
    groups = groups_of_equal(numbers.astype(np.int64))
    return sorted(groups, key=lambda group: int(group[0]))


def pairs_of_group(parts: Ints, labels: Ints) -> tuple[Ints, Ints]:
    """How many pairs a group of equal images makes: all, and those with two labels.

    Counted, not listed, since a group may be large. Both ``(3, 3)`` by part, the earlier one first.

    Args:
        parts: ``(n,)``, which part each member is in, 0 to 2.
        labels: ``(n,)``, a number for each member's label.
    """
    table = np.zeros((3, labels.max() + 1), dtype=np.int64)
    np.add.at(table, (parts, labels), 1)
    sizes = table.sum(axis=1)
    itself = np.diag(sizes)  # each member beside itself is no pair, and within a part each is twice
    every = _once(np.outer(sizes, sizes) - itself)
    return every, every - _once(table @ table.T - itself)


def _once(ordered: Ints) -> Ints:
    return np.asarray(np.triu(ordered, 1) + np.diag(np.diag(ordered) // 2))
