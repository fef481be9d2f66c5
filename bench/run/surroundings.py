"""What a training finds around it beside its own arguments, the same for runs and trials."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch

from bench.specs import RunSpec
from bench.training.determinism import determinism


@contextlib.contextmanager
def surroundings(spec: RunSpec) -> Iterator[None]:
    """The run's threads, global generators of its seed, deterministic algorithms if asked for.

    Python's and NumPy's generators are for a model that draws from them; all is put back.
    """
    threads, python, numpy = torch.get_num_threads(), random.getstate(), np.random.get_state()  # noqa: NPY002
    torch.set_num_threads(spec.threads)
    random.seed(spec.seed)
    np.random.seed(spec.seed)  # noqa: NPY002
    try:
        with determinism(spec.deterministic):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_num_threads(threads)
