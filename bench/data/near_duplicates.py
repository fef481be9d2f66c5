"""Pairs of images that are alike: every pair is looked at, block by block.

The likeness of two images is the lower of two correlations (Pearson's, over all pixels and
channels): of the images as they are, and of what is left of each, brought to mean 0 and length 1,
after the average of all images so brought is taken away. The second alone sets images apart that
share a frame (the black surround of every fundus), the first alone a few odd ones that differ from
the average in the same way. Neither changes when an image gets brighter or gains contrast.

With a correlation r, what is left of one image after the other is fitted to it by brightness and
contrast has sqrt(1 − r²) of its standard deviation: about a sixth at r = 0.985.

Cost: N(N − 1)/2 · D multiply-adds for N images of D values, as matrix products of blocks; memory is
the images at the compared size as uint8 and two blocks, never N².
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bench.audit_file import AuditSpec
from bench.data.transform import resize

BLOCK = 4096  # images; 64 MiB for the products of two blocks
SLACK = 1e-4  # float32 finds the candidates, float64 decides
SAME_AS_AVERAGE = 1e-6  # length below which nothing is left but rounding

Rows = NDArray[np.uint8]
Floats = NDArray[np.floating]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Dtype = type[np.float32] | type[np.float64]


@dataclass(frozen=True)
class NearPairs:
    """Pairs at or above the threshold, those of equal bytes among them.

    Attributes:
        pairs: ``(P, 2)`` places in all parts taken together, the earlier one first.
        likeness: ``(P,)`` the lower of the two correlations.
        counted: ``(parts, parts, len(spec.counted))`` pairs by part at each counted likeness.
    """

    pairs: Ints
    likeness: Doubles
    counted: Ints


def shrink(images: NDArray[np.uint8], size: int) -> Rows:
    """Images ``(N, H, W, C)`` of at most ``size`` pixels a side as rows ``(N, D)``."""
    if images.shape[1] > size:
        chunks = torch.from_numpy(images).split(BLOCK)
        small = torch.cat([resize(chunk.permute(0, 3, 1, 2), size) for chunk in chunks])
        images = small.permute(0, 2, 3, 1).numpy()
    return np.ascontiguousarray(images.reshape(len(images), -1))


def standardise(rows: Rows, flat_below: float, dtype: Dtype = np.float32) -> Floats:
    """Rows ``(N, D)`` of mean 0 and length 1, so that a product of two is their correlation.

    A row whose standard deviation is below ``flat_below`` becomes 0 and correlates with nothing.
    """
    centred: Floats = rows.astype(dtype)
    centred -= centred.mean(axis=1, keepdims=True)
    return _to_length_one(centred, flat_below * rows.shape[1] ** 0.5)


def average_of(parts: Sequence[Rows], flat_below: float) -> Doubles:
    """The average ``(D,)`` of all standardised images."""
    total = np.zeros(parts[0].shape[1])
    for part, piece in _blocks(parts):
        total += standardise(parts[part][piece], flat_below, np.float64).sum(axis=0)
    return total / sum(map(len, parts))


def set_apart(standardised: Floats, average: Doubles) -> Floats:
    """What the average does not explain of each row, brought to length 1; 0 where it is nothing."""
    left = standardised - average.astype(standardised.dtype)
    left[~standardised.any(axis=1)] = 0  # flat images stay out
    return _to_length_one(left, SAME_AS_AVERAGE)


def _to_length_one(rows: Floats, least: float) -> Floats:
    length = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    short = length < least
    rows *= np.where(short, 0, 1 / np.where(short, 1, length)).astype(rows.dtype)
    return rows


def near_pairs(
    parts: Sequence[Rows], spec: AuditSpec, on_progress: Callable[[float], None]
) -> NearPairs:
    """Every pair of images of ``parts`` (each ``(N, D)``) whose likeness reaches the threshold.

    Args:
        on_progress: called with the share of pairs of blocks compared so far.
    """
    average = average_of(parts, spec.flat_below)
    blocks, starts = list(_blocks(parts)), np.cumsum([0, *map(len, parts)])
    counted = np.zeros((len(parts), len(parts), len(spec.counted)), dtype=np.int64)
    pairs, likeness = [np.zeros((0, 2), dtype=np.int64)], [np.zeros(0)]
    done, total = 0, len(blocks) * (len(blocks) + 1) // 2
    for number, (a, first) in enumerate(blocks):
        left = set_apart(standardise(parts[a][first], spec.flat_below), average)
        for b, second in blocks[number:]:
            same = (a, first) == (b, second)
            right = (
                left if same else set_apart(standardise(parts[b][second], spec.flat_below), average)
            )
            products = np.triu(left @ right.T, 1) if same else left @ right.T
            high = np.flatnonzero(products >= spec.counted[0] - SLACK)  # few: looked at alone
            local = np.stack(np.divmod(high, products.shape[1]), axis=1)
            exact = _likeness(parts[a][first], parts[b][second], local, average, spec.flat_below)
            counted[a, b] += [np.count_nonzero(exact >= least) for least in spec.counted]
            kept = exact >= spec.likeness
            pairs.append(local[kept] + [starts[a] + first.start, starts[b] + second.start])
            likeness.append(exact[kept])
            done += 1
            on_progress(done / total)
    return NearPairs(np.concatenate(pairs), np.concatenate(likeness), counted)


def _blocks(parts: Sequence[Rows]) -> Iterator[tuple[int, slice]]:
    """Pieces of at most ``BLOCK`` images that lie in one part each."""
    for number, part in enumerate(parts):
        for start in range(0, len(part), BLOCK):
            yield number, slice(start, min(start + BLOCK, len(part)))


def _likeness(
    first: Rows, second: Rows, pairs: Ints, average: Doubles, flat_below: float
) -> Doubles:
    """The lower correlation ``(P,)`` of each pair in float64, whatever the order of summation."""
    lower = np.empty(len(pairs))
    for start in range(0, len(pairs), BLOCK):
        chosen = pairs[start : start + BLOCK]
        left = standardise(first[chosen[:, 0]], flat_below, np.float64)
        right = standardise(second[chosen[:, 1]], flat_below, np.float64)
        whole = np.einsum("pd,pd->p", left, right)
        apart = np.einsum("pd,pd->p", set_apart(left, average), set_apart(right, average))
        lower[start : start + BLOCK] = np.minimum(whole, apart)
    return lower
