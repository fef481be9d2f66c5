"""What one run asks of a node, in Ray's terms, and how many runs at once a cluster has room for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.errors import InputError
from bench.plan import Device
from bench.suite import Suite

GIB = 2**30


@dataclass(frozen=True)
class Needs:
    """The share of a node that one run takes while it is done."""

    cpus: int
    gpus: float = 0.0
    memory_bytes: int = 0

    @property
    def options(self) -> dict[str, float]:
        """As a Ray task takes them."""
        return {"num_cpus": self.cpus, "num_gpus": self.gpus, "memory": self.memory_bytes}

    def fit_in(self, resources: Mapping[str, float]) -> int:
        """How many runs a node with these resources has room for at once."""
        asked = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory_bytes}
        # Ray counts in ten-thousandths, so 1/3 of a GPU is 0.3333 and three of them fit.
        rooms = [
            int(resources.get(name, 0.0) / need + 1e-3) for name, need in asked.items() if need
        ]
        return min(rooms)

    def __str__(self) -> str:
        parts = [f"{self.cpus} CPU"]
        if self.gpus:
            parts.append(f"{self.gpus:g} GPU")
        if self.memory_bytes:
            parts.append(f"{self.memory_bytes / GIB:g} GiB of memory")
        return ", ".join(parts)


def needs_of(suite: Suite, device: Device, per_gpu: int | None, memory_gib: float | None) -> Needs:
    """What each run of the suite needs on a device.

    Args:
        per_gpu: how many runs may share one GPU; None for one.
        memory_gib: of main memory that a run takes; None leaves it uncounted.

    Raises:
        InputError: ``per_gpu`` where the runs use no GPU.
    """
    if device.kind == "cpu" and per_gpu is not None:
        raise InputError(
            "the suite runs on the CPU, there is no GPU to share",
            remedy="leave it out",
            key="--per-gpu",
        )
    gpus = 0.0 if device.kind == "cpu" else 1.0 / (per_gpu or 1)
    threads = suite.settings.threads
    return Needs(threads, int(gpus * 1e4) / 1e4, int((memory_gib or 0.0) * GIB))


def slots(nodes: Iterable[Mapping[str, float]], needs: Needs) -> int:
    """How many runs the nodes have room for at once, given each node's resources."""
    return sum(needs.fit_in(resources) for resources in nodes)
