"""Which device torch finds, asked in a process that ends.

A process that has touched CUDA holds a context on the GPU, and every measurement would see it as
another process computing there; so the process that waits for the steps never touches it.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from typing import Literal

from bench import provenance
from bench.errors import InputError
from bench.gpu.record import Machine

_ASK = """
import json, torch
name = torch.cuda.get_device_name() if torch.cuda.is_available() else None
print(json.dumps([torch.__version__, torch.version.cuda, name]))
"""


def find_machine(device: Literal["auto", "cpu", "either"]) -> Machine:
    """This machine, with its GPU or (``cpu``: a rehearsal; ``either``: it has none) without.

    Raises:
        InputError: torch finds no CUDA device, or cannot be imported.
    """
    done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise InputError(f"torch cannot be used here: {why}", remedy="see docs/gpu.md", key="gpu")
    torch, cuda, name = json.loads(done.stdout.splitlines()[-1])
    if device == "auto" and name is None:
        raise InputError(
            "torch finds no CUDA device here",
            remedy="run it on a machine with one (docs/gpu.md), or rehearse it: --device cpu",
            key="gpu",
        )
    on_gpu = name is not None and device != "cpu"
    return Machine(
        device="cuda" if on_gpu else "cpu",
        device_name=name if on_gpu else provenance.processor(),
        torch=torch,
        cuda=cuda,
        python=platform.python_version(),
    )
