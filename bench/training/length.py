"""How long a training is: updates of a pass over the training split, and passes of an epoch."""

from __future__ import annotations

import math

from bench.specs import Protocol


def updates_per_pass(images: int, batch_size: int) -> int:
    """Batches of one pass over ``images``, as ``bench.data.feed.batches`` makes them: a last batch
    of a single image is left out."""
    return math.ceil((images - int(images % batch_size == 1 and images > 1)) / batch_size)


def passes_per_epoch(protocol: Protocol, images: int) -> int:
    """How often an epoch goes over a training split of ``images``: 1, unless that is too little.

    Where ``protocol.epochs`` single passes make fewer than ``protocol.least_updates`` updates, each
    epoch becomes the fewest whole passes with which the training makes at least that many. An
    epoch stays the protocol's unit: validation comes after each, so there are ``protocol.epochs``
    of them, and milestones and warm-up, given in epochs, lie at the same share of the training.
    Images and batch size alone decide, so that every model is trained equally long.
    """
    if protocol.least_updates is None:
        return 1
    updates = protocol.epochs * updates_per_pass(images, protocol.batch_size)
    return max(1, math.ceil(protocol.least_updates / updates))


def updates_per_epoch(protocol: Protocol, images: int) -> int:
    """Updates between two validations on a training split of ``images``."""
    return passes_per_epoch(protocol, images) * updates_per_pass(images, protocol.batch_size)
