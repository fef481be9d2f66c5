"""What passes through named modules in a forward pass, caught without changing the network."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from bench.insight.record import Place
from medspectralnet.network import Block, MedSpectralNet


@contextlib.contextmanager
def inputs_of(modules: dict[str, nn.Module]) -> Iterator[dict[str, Any]]:
    """Inside, each forward pass leaves the first argument of every module under its name."""
    caught: dict[str, Any] = {}

    def hook(name: str) -> Any:
        def keep(_: nn.Module, arguments: tuple[Any, ...]) -> None:
            caught[name] = arguments[0]

        return keep

    handles = [module.register_forward_pre_hook(hook(name)) for name, module in modules.items()]
    try:
        yield caught
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def output_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """Inside, each forward pass appends the module's output."""
    caught: list[Tensor] = []
    handle = module.register_forward_hook(lambda _, __, output: caught.append(output))
    try:
        yield caught
    finally:
        handle.remove()


def blocks_of(model: MedSpectralNet) -> dict[str, tuple[Place, Block]]:
    """Every block by its module's name, with its place."""
    found = {}
    for name, module in model.named_modules():
        if isinstance(module, Block):
            _, stage, _, block = name.split(".")
            found[name] = Place(stage=int(stage) + 1, block=int(block) + 1), module
    return found
