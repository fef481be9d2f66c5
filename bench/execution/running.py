"""Who is at work: a lock and a small file for each run under way.

The lock is the kernel's and goes with its process, so a killed run blocks nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from bench.records.store import write_atomic

WRITE_EVERY_S = 2.0


@dataclass(frozen=True)
class Running:
    """A run under way."""

    id: str
    cell_key: str  # ``RunSpec.cell_key``: what a suite can know of the run
    pid: int
    host: str
    fraction: float
    seconds: float


class RunningFile:
    """Context manager that keeps ``<results>/running/<id>.json`` up to date, then removes it.

    It only informs: that it cannot be written never stops a run.
    """

    def __init__(self, results: Path, run_id: str, cell_key: str) -> None:
        self._path, self._results = _path(results, run_id), results
        self._id, self._cell_key = run_id, cell_key
        self._started, self._written = time.monotonic(), -WRITE_EVERY_S

    def __enter__(self) -> RunningFile:
        self.update(0.0)
        return self

    def update(self, fraction: float) -> None:
        """Say how far the run is; writes at most every ``WRITE_EVERY_S`` seconds."""
        now = time.monotonic()
        if now - self._written < WRITE_EVERY_S:
            return
        self._written = now
        state = Running(
            self._id,
            self._cell_key,
            os.getpid(),
            socket.gethostname(),
            fraction,
            now - self._started,
        )
        with contextlib.suppress(OSError):
            write_atomic(self._path, json.dumps(asdict(state)).encode())

    def __exit__(self, *_: object) -> None:
        forget(self._results, self._id)


def forget(results: Path, run_id: str) -> None:
    """Remove the file of a run, such as one whose process was killed."""
    with contextlib.suppress(OSError):
        _path(results, run_id).unlink()


def _path(results: Path, run_id: str) -> Path:
    return results / "running" / f"{run_id}.json"


def log_path(results: Path, run_id: str) -> Path:
    """Where the log of a run lies, for ``bench.execution.run_log``."""
    return results / "logs" / f"{run_id}.log"


@contextlib.contextmanager
def claim(results: Path, run_id: str) -> Iterator[bool]:
    """Whether this process got the run for itself; held until the block ends.

    Where the file system has no locks every process gets it: records are whole all the same.
    """
    path = results / "running" / f"{run_id}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except OSError:
        yield True
        return
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            yield True
            return
        if not _still_there(handle, path):  # its last holder has just removed it
            yield False
            return
        _sweep(results, run_id)
        try:
            yield True
        finally:
            with contextlib.suppress(OSError):
                path.unlink()


def _still_there(handle: TextIO, path: Path) -> bool:
    """Whether the name still leads to the file that was locked."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except OSError:
        return False


def _sweep(results: Path, run_id: str) -> None:
    """Remove what a process that was killed while writing left of this run."""
    for place in ("records", "running"):
        for left in (results / place).glob(f".{run_id}.*"):
            with contextlib.suppress(OSError):
                left.unlink()


def running(results: Path) -> dict[str, Running]:
    """Runs under way by id; those whose process on this host is gone do not count."""
    found = {}
    for path in sorted((results / "running").glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            state = Running(**json.loads(path.read_text()))
            if state.host != socket.gethostname() or _alive(state.pid):
                found[state.id] = state
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
