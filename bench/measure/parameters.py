"""How large a model is, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class ParameterCount:
    """Elements and bytes of a model at rest; a tensor shared by two modules counts once.

    Attributes:
        trainable: elements of parameters that require a gradient.
        total: elements of all parameters.
        buffers: elements of all buffers, such as the running statistics of a batch norm.
        weights_bytes: bytes of parameters and of those buffers that a state dict holds.
    """

    trainable: int
    total: int
    buffers: int
    weights_bytes: int


def count_parameters(model: nn.Module) -> ParameterCount:
    """Count the model's parameters and buffers."""
    parameters = list(model.parameters())
    stored = {tensor.data_ptr(): tensor for tensor in model.state_dict().values() if tensor.numel()}
    return ParameterCount(
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        total=sum(p.numel() for p in parameters),
        buffers=sum(b.numel() for b in model.buffers()),
        weights_bytes=sum(t.numel() * t.element_size() for t in stored.values()),
    )
