"""What is wrong with a data set, from its images and labels alone: no model is asked.

Images are numbered through train, val and test in turn; a part is one of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.audit_file import AuditSpec
from bench.data.dataset import Dataset, Split
from bench.data.duplicates import (
    connected_groups,
    content_numbers,
    groups_of_equal,
    pairs_of_group,
)
from bench.data.info import SPLITS
from bench.data.near_duplicates import near_pairs, shrink

Ints = NDArray[np.int64]
TEST = 2  # the number of the test part


@dataclass(frozen=True)
class CopyGroup:
    """Images that are copies, by number, rising, and the lowest likeness of a near pair."""

    images: Ints
    labels_differ: bool
    likeness: float


@dataclass(frozen=True)
class Contaminated:
    """Indices of test images with a copy in train or val, rising; near ones have no exact copy."""

    exact: list[int]
    near: list[int]
    labels_differ: list[int]  # of both: the copy there carries another label


@dataclass(frozen=True)
class Audit:
    """What an audit finds; a near pair is one whose bytes differ.

    Attributes:
        exact_pairs, near_pairs: ``(3, 3)`` by part, the earlier one first.
        differing_pairs: those of both whose labels differ, in the same form.
        counted: ``(3, 3, T)`` pairs of different bytes at each likeness that is counted.
    """

    exact: list[CopyGroup]
    near: list[CopyGroup]
    exact_pairs: Ints
    near_pairs: Ints
    differing_pairs: Ints
    counted: Ints
    contaminated_test: Contaminated


def read_every_split(dataset: Dataset) -> dict[str, Split]:
    """Train, val and test, the last by the audit's own door: nothing is trained or chosen here."""
    test = dataset.test.read_for_audit()
    return {"train": dataset.train, "val": dataset.val, "test": test}


def audit(
    splits: Mapping[str, Split],
    spec: AuditSpec,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Audit:
    """Find exact and near duplicates within and across the splits, and labels that contradict.

    Args:
        splits: train, val and test.
        on_progress: called with the share of pairs of blocks compared so far.
    """
    images = [splits[name].images for name in SPLITS]
    labels = _label_numbers(np.concatenate([splits[name].labels for name in SPLITS]))
    parts = np.repeat(np.arange(len(images)), list(map(len, images)))
    contents = content_numbers(images)
    found = near_pairs([shrink(part, spec.size) for part in images], spec, on_progress)

    is_near = contents[found.pairs[:, 0]] != contents[found.pairs[:, 1]]
    near, equal = found.pairs[is_near], found.pairs[~is_near]
    contradicting = near[labels[near[:, 0]] != labels[near[:, 1]]]
    groups = groups_of_equal(contents)
    exact_pairs, exact_differing = (
        np.zeros((3, 3), dtype=np.int64),
        np.zeros((3, 3), dtype=np.int64),
    )
    for group in groups:
        every, differing = pairs_of_group(parts[group], labels[group])
        exact_pairs += every
        exact_differing += differing
    return Audit(
        exact=[CopyGroup(group, _differ(labels[group]), 1.0) for group in groups],
        near=_near_groups(near, found.likeness[is_near], labels),
        exact_pairs=exact_pairs,
        near_pairs=_by_part(near, parts),
        differing_pairs=exact_differing + _by_part(contradicting, parts),
        counted=found.counted - _by_part(equal, parts)[..., None],
        contaminated_test=_contaminated(groups, near, contradicting, parts, labels),
    )


def flat_images(split: Split, spec: AuditSpec) -> tuple[list[int], list[int]]:
    """Indices of images of one value all over, and of those too flat to be compared."""
    pixels = split.images.reshape(len(split), -1)
    constant = np.flatnonzero((pixels == pixels[:, :1]).all(axis=1))
    deviations = np.array([row.std() for row in shrink(split.images, spec.size)])
    return constant.tolist(), np.flatnonzero(deviations < spec.flat_below).tolist()


def class_counts(split: Split, num_classes: int) -> list[int]:
    """Images of each class; with several labels an image, those that carry each."""
    if split.labels.ndim == 2:
        return [int(count) for count in split.labels.sum(axis=0)]
    return [int(count) for count in np.bincount(split.labels, minlength=num_classes)]


def _label_numbers(labels: Ints) -> Ints:
    """A number ``(N,)`` for each image's label or set of labels."""
    if labels.ndim == 1:
        return labels
    return np.asarray(np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1))


def _differ(labels: Ints) -> bool:
    return bool((labels != labels[0]).any())


def _by_part(pairs: Ints, parts: Ints) -> Ints:
    counts = np.zeros((3, 3), dtype=np.int64)
    np.add.at(counts, (parts[pairs[:, 0]], parts[pairs[:, 1]]), 1)
    return counts


def _near_groups(pairs: Ints, likeness: NDArray[np.float64], labels: Ints) -> list[CopyGroup]:
    groups = connected_groups(pairs, len(labels))
    number_of = {int(image): number for number, group in enumerate(groups) for image in group}
    lowest = np.ones(len(groups))
    np.minimum.at(lowest, [number_of[int(first)] for first in pairs[:, 0]], likeness)
    return [
        CopyGroup(group, _differ(labels[group]), float(least))
        for group, least in zip(groups, lowest, strict=True)
    ]


def _contaminated(
    groups: list[Ints], near: Ints, contradicting: Ints, parts: Ints, labels: Ints
) -> Contaminated:
    exact: set[int] = set()
    differing = _test_images(contradicting, parts)
    for group in groups:
        tested = group[parts[group] == TEST]
        seen = np.unique(labels[group[parts[group] != TEST]])
        if len(tested) and len(seen):
            exact |= set(tested.tolist())
            differing |= {int(image) for image in tested if _differ(np.r_[labels[image], seen])}
    first = int(np.argmax(parts == TEST))
    near_only = _test_images(near, parts) - exact
    return Contaminated(
        *(sorted(image - first for image in found) for found in (exact, near_only, differing))
    )


def _test_images(pairs: Ints, parts: Ints) -> set[int]:
    """The test images of pairs with an image of train or val."""
    crossing = (parts[pairs[:, 0]] != TEST) & (parts[pairs[:, 1]] == TEST)
    return set(pairs[crossing, 1].tolist())
