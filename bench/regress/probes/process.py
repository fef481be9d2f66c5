"""What a process of its own tells: processor time of the import, peak memory of a training."""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import timm
import torch
from torch.nn import functional as F

from bench.regress.probes.answering import answer
from bench.regress.probes.exact import sized

STEPS = 3  # the second already holds everything; one more for certainty


def peak_bytes() -> int:
    """Largest resident set so far; ``VmHWM``, where ``ru_maxrss`` would hold the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell a process's peak memory")


def look(request: dict[str, Any]) -> dict[str, Any]:
    """The import first, of a process in which torch and timm are loaded already."""
    sys.pycache_prefix = tempfile.gettempdir() + "/none"  # a baseline is laid out without bytecode
    before = time.process_time()
    for package in request["imports"]:
        importlib.import_module(package)
    import_s = time.process_time() - before
    libraries = peak_bytes()
    size, channels, classes = request["image_size"], request["channels"], request["num_classes"]
    torch.manual_seed(0)
    name = request["model"]
    model = timm.create_model(
        name, num_classes=classes, in_chans=channels, **sized(name, size)
    ).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    images = torch.randn(request["batch_size"], channels, size, size)
    labels = torch.randint(classes, (len(images),))
    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return {"import_s": import_s, "peak_bytes": peak_bytes(), "libraries_bytes": libraries}


if __name__ == "__main__":
    answer(look, imported=False)
