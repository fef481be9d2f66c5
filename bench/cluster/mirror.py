"""A run's checkpoint, kept in the shared store too, so that it survives the node that wrote it."""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path

from bench.cluster.shared_store import CHECKPOINTS, SharedStore
from bench.errors import CannotWrite
from bench.records.store import write_atomic

log = logging.getLogger(__name__)

LOOK_S = 0.5  # between looks at whether there is another checkpoint


class CheckpointMirror:
    """Context manager around one run: brings its last checkpoint here, and each new one there.

    Without a shared store it does nothing. Training never waits for it: of two checkpoints that
    come faster than they travel only the later one is sent. That one cannot be sent never stops a
    run.
    """

    def __init__(self, shared: SharedStore | None, results: Path, run_id: str) -> None:
        self._shared, self._name = shared, f"{run_id}.pt"
        self._path = results / "checkpoints" / self._name
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._sent: int | None = None  # the file's time of change, in ns
        self._cannot = False

    def __enter__(self) -> CheckpointMirror:
        if self._shared is not None:
            self._fetch()
            self._thread.start()
        return self

    def discard(self) -> None:
        """The run is recorded: nothing is left to go on with."""
        if self._shared is not None:
            self._stop()
            with contextlib.suppress(Exception):  # one that stays is found of a finished run
                self._shared.remove(CHECKPOINTS, self._name)
                self._shared.sweep(self._path.stem)

    def __exit__(self, *_: object) -> None:
        if self._shared is not None:
            self._stop()

    def _fetch(self) -> None:
        """What another node left replaces what is here: it may have come further."""
        assert self._shared is not None
        content = self._shared.read(CHECKPOINTS, self._name)
        if content is not None:
            write_atomic(self._path, content)
            self._sent = self._changed_at()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._send()

    def _stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _changed_at(self) -> int | None:
        with contextlib.suppress(OSError):
            return self._path.stat().st_mtime_ns
        return None

    def _send(self) -> None:
        assert self._shared is not None
        changed = self._changed_at()
        if changed is None or changed == self._sent:
            return
        try:
            self._shared.write(CHECKPOINTS, self._name, self._path.read_bytes())
        except FileNotFoundError:  # the run has just ended
            return
        except CannotWrite as error:
            if not self._cannot:
                log.warning("%s", error)
            self._cannot = True
            return
        self._sent = changed
