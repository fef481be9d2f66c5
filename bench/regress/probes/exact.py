"""Exact numbers of a tree's models: parameters, MACs, activation bytes, operators, outputs.

Operators and activation bytes are counted here, so that both trees are counted by one instrument;
MACs by the tree's own counter, which knows its own operators.
"""

from __future__ import annotations

import hashlib
import platform
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.regress.probes.answering import answer

SEED = 0


class _Operators(TorchDispatchMode):
    """Counts operators that compute or copy, and those of them that normalise."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls = self.norms = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = func(*args, **(kwargs or {}))
        read = {t.untyped_storage().data_ptr() for t in _tensors((args, kwargs))}
        written = [t.untyped_storage().data_ptr() for t in _tensors(given)]
        view = not func._schema.is_mutable and bool(written) and read.issuperset(written)
        if not view:
            self.calls += 1
            self.norms += "norm" in str(func) and "linalg" not in str(func)
        return given


def _tensors(tree: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def activation_bytes(model: nn.Module, images: Tensor) -> int:
    """Bytes that a training pass keeps for its backward pass, weights left out."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, Tensor] = {}  # held, so that no storage is given out twice meanwhile

    def keep(tensor: Tensor) -> Tensor:
        place = tensor.untyped_storage().data_ptr()
        if place not in weights:
            kept[place] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model.train()(images).sum()
    total = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    del loss
    return total


def unreached(model: nn.Module, images: Tensor, classes: int) -> int:
    """How many tensors of weights a backward pass leaves without a gradient, frozen ones too."""
    labels = torch.arange(len(images)) % classes
    model.train().zero_grad(set_to_none=True)
    F.cross_entropy(model(images), labels).backward()
    return sum(p.grad is None or not bool(p.grad.any()) for p in model.parameters())


def numbers(name: str, request: dict[str, Any]) -> dict[str, Any]:
    """Everything of one model."""
    from bench.measure.macs import count_macs

    size, channels = request["image_size"], request["channels"]
    torch.manual_seed(SEED)
    model = timm.create_model(
        name, num_classes=request["num_classes"], in_chans=channels, **sized(name, size)
    )
    generator = torch.Generator().manual_seed(SEED)
    images = torch.randn(request["batch_size"], channels, size, size, generator=generator)
    macs = count_macs(model, (channels, size, size))
    with torch.inference_mode():
        outputs = model.eval()(images)
    with torch.no_grad(), _Operators() as seen:
        model(images)
    return {
        "params_total": sum(p.numel() for p in model.parameters()),
        "params_trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "macs": macs.macs,
        "macs_complete": macs.complete,
        "operators": seen.calls,
        "norm_operators": seen.norms,
        "activation_bytes": activation_bytes(model, images),
        "outputs_sha256": hashlib.sha256(outputs.numpy().tobytes()).hexdigest(),
        "unreached": unreached(model, images, request["num_classes"]),
    }


def sized(name: str, size: int) -> dict[str, Any]:
    """``img_size`` where a model of timm has a fixed grid of tokens."""
    config = timm.get_pretrained_cfg(name)
    return {"img_size": size} if config is not None and config.fixed_input_size else {}


def machine() -> dict[str, Any]:
    """What decides bits and times here."""
    from bench import provenance

    return {
        "processor": provenance.processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {"torch": torch.__version__, "timm": timm.__version__},
    }


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Every model asked for that the tree has."""
    found: dict[str, Any] = {"machine": machine(), "models": {}, "absent": []}
    known = set(timm.list_models())
    for name in request["models"]:
        if name in known:
            found["models"][name] = numbers(name, request)
        else:
            found["absent"].append(name)
    return found


if __name__ == "__main__":
    answer(look)
