"""Memory of batches, handed out again once nothing refers to it.

A fresh block of tens of megabytes costs more in page faults than filling it does.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

_End = weakref.ref[NDArray[Any]]


class Buffers:
    """Float32 tensors, on a CPU in memory that is used again.

    A tensor's memory comes back when the last tensor, view or graph on it is gone, so what is held
    on to never changes. On a GPU PyTorch's own allocator does this.
    """

    def __init__(self) -> None:
        self._free: list[Tensor] = []  # flat
        self._taken: dict[int, tuple[_End, Tensor]] = {}
        self._ended: deque[_End] = deque()

    def take(self, shape: tuple[int, ...], device: torch.device) -> Tensor:
        """An uninitialised contiguous tensor."""
        if device.type != "cpu":
            return torch.empty(shape, device=device)
        self._collect()
        count = math.prod(shape)
        block = self._free.pop() if self._free else torch.empty(count)
        if len(block) < count:
            block = torch.empty(count)
        # The tensor keeps this very array alive, and all that shares its memory keeps the tensor's
        # storage: the array's end is the end of them all.
        array = block.numpy()[:count].reshape(shape)
        end = weakref.ref(array, self._ended.append)
        self._taken[id(end)] = (end, block)
        return torch.from_numpy(array)

    def _collect(self) -> None:
        """Take back what has come to its end.

        Done here and not where it ends: a finaliser in Python swallows a Ctrl-C that meets it.
        """
        while self._ended:
            self._free.append(self._taken.pop(id(self._ended.popleft()))[1])
