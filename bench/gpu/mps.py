"""NVIDIA's Multi-Process Service: trainings of several processes overlap instead of taking turns.

A daemon of one's own for the time of a step; it changes no setting of the GPU
(https://docs.nvidia.com/deploy/mps/index.html).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CONTROL = "nvidia-cuda-mps-control"  # comes with the driver
PIPES = "CUDA_MPS_PIPE_DIRECTORY"
WAIT_S = 5.0
"""How long its daemon may take to start, and as long again to quit."""


@dataclass(frozen=True)
class Overlap:
    """What a step is told: variables for its processes, and in words what became of it."""

    told: str
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def overlapping() -> Iterator[Overlap]:
    """The service for what runs inside; where there is none, a line says so and all goes on."""
    if PIPES in os.environ:
        yield Overlap("under the MPS that runs here already")
        return
    with tempfile.TemporaryDirectory(prefix="mps-", ignore_cleanup_errors=True) as folder:
        environment = {PIPES: folder, "CUDA_MPS_LOG_DIRECTORY": folder}
        why = _failed([CONTROL, "-d"], environment)
        if why:
            yield Overlap(f"without MPS, in turns: {why}")
            return
        try:
            yield Overlap("under MPS", environment)
        finally:
            _failed([CONTROL], environment, told="quit -t 3\n")


def _failed(command: list[str], environment: dict[str, str], told: str = "") -> str:
    """Why the command did not do; empty where it did."""
    try:
        subprocess.run(
            command,
            env=os.environ | environment,
            input=told,
            text=True,
            stdout=subprocess.DEVNULL,  # a daemon keeps what it inherits: a pipe would never end
            stderr=subprocess.DEVNULL,
            timeout=WAIT_S,
            check=True,
        )
    except FileNotFoundError:
        return f"no {CONTROL} here"
    except subprocess.CalledProcessError as error:
        return f"{CONTROL} ended with {error.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{CONTROL}: {type(error).__name__}"
    return ""
