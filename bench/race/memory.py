"""Peak memory of a model at work, measured in a fresh process of its own.

On a CPU that is the process's largest resident set, interpreter and libraries included (what they
take before the model is built is measured too); on a GPU the allocator's own peak.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from bench.race.file import Memory
from bench.toml_file import ROOT

STEPS = 3  # the second training step already holds everything; one more for certainty


def measure_peak(spec: Memory, *, device: str, threads: int) -> tuple[int, int]:
    """``(peak, before)`` in bytes.

    Raises:
        RuntimeError: the process failed; the message is its last line.
    """
    request = json.dumps({"spec": spec.model_dump(), "device": device, "threads": threads})
    done = subprocess.run(
        [sys.executable, "-m", "bench.race.memory", request],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"exit code {done.returncode}")
    peak, before = json.loads(done.stdout.splitlines()[-1])
    return int(peak), int(before)


def _resident_peak() -> int:
    """Largest resident set in bytes, of this program alone.

    Linux's ``ru_maxrss`` outlives an ``exec``, so it would hold the parent's; ``VmHWM`` does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _probe(request: dict[str, object]) -> tuple[int, int]:
    import torch

    from bench.race.contenders import model_step

    spec, device = Memory.model_validate(request["spec"]), str(request["device"])
    torch.set_num_threads(int(str(request["threads"])))
    before = 0 if device == "cuda" else _resident_peak()
    step = model_step(spec.subject, spec, "channels_last", device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for _ in range(STEPS):
        step()
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else _resident_peak()
    return peak, before


if __name__ == "__main__":
    print(json.dumps(_probe(json.loads(sys.argv[1]))))
