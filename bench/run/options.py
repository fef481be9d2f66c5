"""How runs are done here; nothing of it changes a result, and nothing of it is in a run's id."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CHECKPOINT_EVERY_S = 30.0


@dataclass(frozen=True)
class RunOptions:
    """Choices of the command line.

    Attributes:
        checkpoint_every_s: seconds of training between two checkpoints; a kill loses at most that.
        stream: read images from disk batch by batch instead of holding them in memory.
        cache: use resized images that an earlier run left, and leave them.
        tensorboard: folder for TensorBoard's event files, one folder a run; None for none.
    """

    checkpoint_every_s: float = CHECKPOINT_EVERY_S
    stream: bool = False
    cache: bool = True
    tensorboard: Path | None = None


DEFAULTS = RunOptions()
