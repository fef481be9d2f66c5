"""A driver's claims to its runs, so that two commands on one results folder share the work.

The lock is that of ``bench.execution.running.claim``, taken the same way; but what killed
writers left is not looked for at each run: listing a folder of 10,000 records takes longer than to
keep one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from bench.execution.running import forget


@contextlib.contextmanager
def claimed(results: Path, run_id: str) -> Iterator[bool]:
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
        except OSError as error:
            yield not isinstance(error, BlockingIOError)
            return
        try:
            same = os.path.samestat(os.fstat(handle.fileno()), path.stat())
        except OSError:
            same = False
        if not same:  # its last holder has just removed it
            yield False
            return
        forget(results, run_id)  # that a driver which was killed was at it
        try:
            yield True
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
