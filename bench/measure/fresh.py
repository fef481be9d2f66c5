"""A measurement in a fresh process of its own, and the memory such a process took."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.toml_file import ROOT

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def in_fresh_process(module: str, request: dict[str, Any]) -> Any:
    """What ``python -m module REQUEST`` prints last, both as JSON.

    Raises:
        MemoryError: the system ended the process for its memory.
        RuntimeError: the process failed otherwise; the message is its last line.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(request)],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(ROOT), *map(os.path.abspath, sys.path)])},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == -9:
        raise MemoryError("the system ended the process, most likely for its memory")
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"exit code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def answer(measure: Callable[[dict[str, Any]], Any]) -> None:
    """The other side of :func:`in_fresh_process`: measure what was asked for and print it.

    On Linux the process ends with its parent, however that one ends.
    """
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before it could be watched
            sys.exit(1)
    print(json.dumps(measure(json.loads(sys.argv[1]))))


def resident_peak() -> int:
    """Largest resident set so far in bytes, of this program alone.

    Linux's ``ru_maxrss`` outlives an ``exec``, so it would hold the parent's; ``VmHWM`` does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
