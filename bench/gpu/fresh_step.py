"""One step in a fresh process, which is ended when its time is up."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.gpu.record import Ending
from bench.toml_file import ROOT

GRACE_S = 8.0
"""Of its time: what a step that is told to end has to unwind; it is killed after that."""


_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Ran:
    """How a step ended, and the last line it printed."""

    ending: Ending
    seconds: float
    said: str


def run_step(
    command: Sequence[str], limit_s: float, log: Path, environment: Mapping[str, str]
) -> Ran:
    """Run ``command`` in the checkout; what it prints goes to ``log``.

    It ends within ``limit_s``, and its own processes with it: they are a group of their own.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with log.open("ab") as printed:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            process_group=0,  # no session of its own: it goes when the caller's does
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        try:
            code: int | None = process.wait(max(0.0, limit_s - min(GRACE_S, limit_s / 4)))
        except subprocess.TimeoutExpired:
            code = None
            _end(process, start + limit_s)
        finally:  # also where the wait itself was interrupted
            _kill(process)
    seconds, said = time.monotonic() - start, _last_line(log)
    if code is None:
        return Ran("overdue", seconds, said)
    endings: dict[int, Ending] = {0: "done", 1: "with faults"}
    return Ran(endings.get(code, "failed"), seconds, said or f"exit code {code}")


def _end_with_parent() -> None:
    """In the child: killed as soon as the call is, however that one ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes], until: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, until - time.monotonic()))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Whatever is left of the group, grandchildren too."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
