"""What killed processes left beside runs that are recorded: checkpoints, locks, half-written files.

A run that is still to do is cleaned up by whoever claims it; one that was killed between its record
and its last clean-up is never claimed again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from bench.execution.running import claim


def sweep(results: Path, done: Iterable[str]) -> None:
    """Remove what was left beside these finished runs, unless a process is at work on one."""
    known = set(done)
    for run_id in sorted(known & _found(results)):
        with claim(results, run_id) as mine:
            if not mine:
                continue
            for path in (
                results / "checkpoints" / f"{run_id}.pt",
                results / "running" / f"{run_id}.json",
                *(results / "checkpoints").glob(f".{run_id}.*"),
            ):
                with contextlib.suppress(OSError):
                    path.unlink()


def _found(results: Path) -> set[str]:
    """Ids of runs of which something lies about."""
    places = [results / name for name in ("checkpoints", "running")]
    hidden = (results / "records").glob(".*")  # half-written records and predictions
    files = [*hidden, *(path for place in places for path in place.glob("*"))]
    return {path.name.removeprefix(".").partition(".")[0] for path in files}
