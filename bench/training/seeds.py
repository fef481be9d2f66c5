"""One seed, four independent streams, so that changing one part of a run leaves the others alone.

An ablation draws other initial weights than its parent, yet sees the same images in the same order
under the same augmentations: their seeds are paired.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SeedStreams:
    """Seeds for ``torch.Generator``s and the global generator, all from one run seed."""

    initialisation: int
    order: int
    augmentation: int
    regularisation: int  # drop path and dropout draw from torch's global generator

    @classmethod
    def of(cls, seed: int) -> SeedStreams:
        """The streams of a run's seed (NumPy's SeedSequence, spawned)."""
        children = np.random.SeedSequence(seed).spawn(4)
        return cls(*(int(child.generate_state(1, np.uint64)[0] >> 1) for child in children))
