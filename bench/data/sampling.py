"""Which images an epoch shows, and in which order: each once, or all classes equally often."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.specs import Sampling


def epoch_index(labels: Tensor, sampling: Sampling, order: torch.Generator) -> Tensor:
    """Indices ``(N,)`` int64 on the CPU of the images of one epoch, drawn by ``order`` alone.

    ``shuffled``: a permutation. ``balanced``: N draws with replacement, for each first a class
    among those present, all alike, then an image of it, all alike. With several labels an image
    the classes are the labels, and "none of them"; an image of many labels comes more often.

    Args:
        labels: ``(N,)`` class indices, or ``(N, L)`` zeros and ones.
        order: a CPU generator.
    """
    count = len(labels)
    if sampling == "shuffled":
        return torch.randperm(count, generator=order)
    weights = balanced_weights(labels.cpu())
    return torch.multinomial(weights, count, replacement=True, generator=order)


def balanced_weights(labels: Tensor) -> Tensor:
    """Each image's share ``(N,)`` float64 of the draws; they sum to 1.

    The sum of 1 / size over the classes an image is in, divided by the number of classes present.
    """
    if labels.ndim == 1:
        sizes = torch.bincount(labels).double()
        return 1 / (sizes[labels] * (sizes > 0).sum())
    none = (labels.sum(dim=1, keepdim=True) == 0).to(labels.dtype)
    member = torch.cat((labels, none), dim=1).double()  # (N, L + 1)
    sizes = member.sum(dim=0)
    return (member / sizes.clamp(min=1)).sum(dim=1) / (sizes > 0).sum()
