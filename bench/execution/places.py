"""Where the workers of one machine run: each has cores of its own, or a GPU."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bench.errors import InputError


@dataclass(frozen=True)
class Place:
    """Where one worker runs.

    Attributes:
        cores: the only ones it may use; None for any.
        gpu: the only one it sees, as ``CUDA_VISIBLE_DEVICES`` names it; None for no such limit.
    """

    cores: tuple[int, ...] | None = None
    gpu: str | None = None


def make_places(
    workers: int, per_gpu: int | None, *, device: Literal["cpu", "cuda"], threads: int
) -> list[Place]:
    """One place a worker.

    Args:
        per_gpu: how many workers may share one GPU; None for one, and the only choice on a CPU.
        threads: of a run, as its suite says.

    Raises:
        InputError: more workers than the cores or GPUs carry, or ``per_gpu`` without a GPU.
    """
    if device == "cuda":
        return _on_gpus(workers, 1 if per_gpu is None else per_gpu)
    if per_gpu is not None:
        raise InputError(
            "the suite runs on the CPU here, there is no GPU to share",
            remedy="leave it out",
            key="--per-gpu",
        )
    return _on_cores(workers, threads)


def _on_cores(workers: int, threads: int) -> list[Place]:
    """Neighbouring cores for each: on most machines they are cores, not threads, of one socket."""
    cores = _usable_cores()
    count = len(cores) if cores is not None else os.cpu_count() or 1
    if workers * threads > count:
        fit = count // threads
        raise InputError(
            f"{workers} × {threads} threads a run need {workers * threads} cores, "
            f"this process may use {count}",
            remedy=f"use at most --workers {fit}" if fit else "leave it out",
            key="--workers",
        )
    if cores is None:
        return [Place()] * workers
    return [Place(cores=share) for share in _split(cores, workers)]


def _split(cores: list[int], workers: int) -> list[tuple[int, ...]]:
    bounds = [index * len(cores) // workers for index in range(workers + 1)]
    return [tuple(cores[start:end]) for start, end in pairwise(bounds)]


def _usable_cores() -> list[int] | None:
    """The cores this process may use; None where the system does not tell (macOS)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _on_gpus(workers: int, per_gpu: int) -> list[Place]:
    gpus, cores = _visible_gpus(), _usable_cores()
    if workers > len(gpus) * per_gpu:
        raise InputError(
            f"{workers} do not fit on {len(gpus)} GPUs with {per_gpu} on each",
            remedy=f"use at most --workers {len(gpus) * per_gpu}, or raise --per-gpu",
            key="--workers",
        )
    shares = [None] * workers if cores is None or len(cores) < workers else _split(cores, workers)
    return [Place(share, gpus[index % len(gpus)]) for index, share in enumerate(shares)]


def _visible_gpus() -> list[str]:
    """The GPUs of this process, each as ``CUDA_VISIBLE_DEVICES`` is to name it for a child."""
    import torch  # only where there is a GPU

    count = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    return list(filter(None, named))[:count] or [str(index) for index in range(count)]
