"""The training loss of each task, with label smoothing and class weights as the protocol asks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.evaluation.scores import is_multi_label
from bench.specs import Protocol, Task

Loss = Callable[[Tensor, Tensor], Tensor]


def make_loss(task: Task, protocol: Protocol, train_labels: Tensor, num_classes: int) -> Loss:
    """Cross-entropy on logits ``(B, C)``; binary cross-entropy for multi-label tasks.

    Ordinal tasks are trained as multi-class ones, as MedMNIST's own scripts do. ``balanced``
    weights are N / (C · n_c) for a class, n_negative / n_positive for the positives of a label.
    """
    weight = _weights(task, protocol, train_labels, num_classes)
    smoothing = protocol.label_smoothing
    if is_multi_label(task):

        def binary(logits: Tensor, labels: Tensor) -> Tensor:
            target = labels.float() * (1 - smoothing) + smoothing / 2
            return F.binary_cross_entropy_with_logits(logits.float(), target, pos_weight=weight)

        return binary

    def categorical(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, weight=weight, label_smoothing=smoothing)

    return categorical


def _weights(task: Task, protocol: Protocol, labels: Tensor, num_classes: int) -> Tensor | None:
    if protocol.class_weights == "none":
        return None
    if is_multi_label(task):
        positives = labels.sum(dim=0).clamp(min=1).float()
        return (len(labels) - positives).clamp(min=1) / positives
    counts = torch.bincount(labels, minlength=num_classes).clamp(min=1).float()
    return len(labels) / (num_classes * counts)
