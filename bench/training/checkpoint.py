"""Where an interrupted training goes on: one file, replaced whole, trusted only if it is whole."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from bench.records.store import write_atomic

log = logging.getLogger(__name__)

State = dict[str, Any]
"""Tensors, numbers, text and containers of them: what ``torch.load`` takes without running code."""

_CONTENT = {"identity", "updates", "resumed_at", "wall_s", "state"}
_DIGEST_BYTES = 32  # SHA-256, before the content


@dataclass
class CheckpointFile:
    """The checkpoint of one run.

    Attributes:
        identity: the run's id, its code and packages; a checkpoint of another identity would not
            give the same bits and is not used.
        every_s: seconds between two checkpoints, the time that one took left out.
        resumed_at: updates that were done wherever an interrupted training went on.
        earlier_s: wall time of the interrupted processes, up to the checkpoint that was taken up.
    """

    path: Path
    identity: str
    every_s: float
    resumed_at: list[int] = field(default_factory=list)
    earlier_s: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _saved: float = field(default_factory=time.monotonic)
    _cannot_write: bool = False

    def due(self) -> bool:
        """Whether it is time for the next one."""
        return time.monotonic() - self._saved >= self.every_s

    def save(self, state: State, updates: int) -> None:
        """Keep the state after so many updates; where it cannot be written, training goes on."""
        buffer = io.BytesIO()
        content = {
            "identity": self.identity,
            "updates": updates,
            "resumed_at": self.resumed_at,
            "wall_s": self.earlier_s + time.monotonic() - self._started,
            "state": state,
        }
        torch.save(content, buffer)
        try:
            view = buffer.getbuffer()
            write_atomic(self.path, hashlib.sha256(view).digest(), view)
        except OSError as error:
            if not self._cannot_write:
                log.warning("%s: no checkpoint can be written (%s)", self.path, error.strerror)
            self._cannot_write = True
        self._saved = time.monotonic()

    def load(self) -> State | None:
        """What was kept, its tensors on the CPU; None where there is nothing that can be used."""
        self._sweep()
        try:
            content = _read(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s: cannot be read as a checkpoint (%s)", self.path, error.strerror)
            return None
        except Exception as error:  # whatever a damaged file makes its readers raise
            log.warning("%s: damaged checkpoint, the run begins anew (%s)", self.path, error)
            return None
        if content.get("identity") != self.identity:
            log.warning("%s: checkpoint of other code, packages or machine, not used", self.path)
            return None
        self.resumed_at = [*content["resumed_at"], content["updates"]]
        self.earlier_s = content["wall_s"]
        state: State = content["state"]
        return state

    def discard(self) -> None:
        """The run is recorded: nothing is left to go on with."""
        self._sweep()
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:  # a folder, say: not ours to empty
            log.warning("%s: cannot be removed (%s); remove it", self.path, error.strerror)

    def _sweep(self) -> None:
        """Remove what a process that was killed while writing left; the run's lock is held."""
        for left in self.path.parent.glob(f".{self.path.name}.*"):
            with contextlib.suppress(OSError):
                left.unlink()


def _read(path: Path) -> State:
    whole = path.read_bytes()
    digest, content = whole[:_DIGEST_BYTES], memoryview(whole)[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        raise ValueError("its checksum differs")
    loaded: State = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if not isinstance(loaded, dict) or loaded.keys() != _CONTENT:
        raise ValueError("its content is not a checkpoint's")
    return loaded
