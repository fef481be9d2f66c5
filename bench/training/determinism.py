"""The same bits every time on a GPU too, where a run asks for it; a CPU gives them anyway."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"  # read by cuBLAS at its first call
_FIXED_WORKSPACE = ":4096:8"


@contextlib.contextmanager
def determinism(wanted: bool) -> Iterator[None]:
    """Deterministic algorithms inside; an operation that has none raises ``RuntimeError``.

    Follows https://docs.pytorch.org/docs/stable/notes/randomness.html.
    """
    if not wanted:
        yield
        return
    before, benchmark = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    workspace = os.environ.get(_CUBLAS)
    os.environ[_CUBLAS] = workspace or _FIXED_WORKSPACE
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.backends.cudnn.benchmark = benchmark
        if workspace is None:
            del os.environ[_CUBLAS]
