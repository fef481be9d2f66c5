"""What one pass consists of: calls, bytes, and the types of number in which each part ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.measure.forms import autocast
from bench.specs import Precision

KINDS: tuple[tuple[str, str], ...] = (
    ("upsample", "interpolation"),
    ("convolution", "convolution"),
    ("addmm", "matrix product"),
    ("baddbmm", "matrix product"),
    ("bmm", "matrix product"),
    ("mm", "matrix product"),
    ("linear", "matrix product"),
    ("attention", "attention"),
    ("scan", "scan"),
    ("softmax", "softmax"),
    ("norm", "normalisation"),
)
"""Part of an operator's name, and the kind of operation it is; the first that fits counts."""


@dataclass
class Profile:
    """One pass, as torch's dispatcher sees it.

    Attributes:
        calls: operators that compute or copy; views are free.
        bytes_moved: bytes of their inputs and outputs, as if there were no cache.
        types: kind of operation, to the floating-point types of its inputs.
    """

    calls: int = 0
    bytes_moved: int = 0
    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def profile_pass(model: nn.Module, images: Tensor, precision: Precision) -> Profile:
    """Profile one inference of a model in evaluation mode."""
    found = Profile()
    with torch.no_grad(), autocast(images, precision), _Watch(found):
        model(images)
    return found


class _Watch(TorchDispatchMode):
    def __init__(self, found: Profile) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._found = found

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = func(*args, **(kwargs or {}))
        read, written = list(_tensors((args, kwargs))), list(_tensors(given))
        name = str(func)
        if not _is_view(func, read, written):
            self._found.calls += 1
            self._found.bytes_moved += sum(t.numel() * t.element_size() for t in read + written)
        kind = next((kind for part, kind in KINDS if part in name), None)
        if kind is not None and "backward" not in name:
            floating = {str(t.dtype).removeprefix("torch.") for t in read if t.is_floating_point()}
            self._found.types[kind] |= floating
        return given


def _tensors(tree: object) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


def _is_view(func: Any, read: list[Tensor], written: list[Tensor]) -> bool:
    """Whether nothing was computed: the results lie in the memory of what was read."""
    if func._schema.is_mutable or not written:
        return False
    owned = {t.untyped_storage().data_ptr() for t in read}
    return all(t.untyped_storage().data_ptr() in owned for t in written)
