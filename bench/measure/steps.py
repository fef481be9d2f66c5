"""One pass as a callable: inference or a whole training step, inputs fed in rotation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.measure.forms import Call, autocast
from bench.measure.timing import Step, synchronise
from bench.specs import Precision

_LR = 1e-3  # of the training step; its value does not bear on the time


def inference_step(call: Call, batches: list[Tensor], precision: Precision) -> Step:
    """A pass without gradients on the next of ``batches``."""
    calls = 0

    def step() -> None:
        nonlocal calls
        batch = batches[calls % len(batches)]
        with torch.inference_mode(), autocast(batch, precision):
            call(batch)
        calls += 1
        synchronise(batch.device)

    return step


def training_step(
    model: nn.Module, batches: list[Tensor], num_classes: int, precision: Precision
) -> Step:
    """Forward, backward and AdamW on the next of ``batches``, labels at random."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=_LR)
    labels = torch.randint(num_classes, (len(batches[0]),), device=batches[0].device)
    calls = 0

    def step() -> None:
        nonlocal calls
        optimizer.zero_grad(set_to_none=True)
        batch = batches[calls % len(batches)]
        with autocast(batch, precision):
            loss = F.cross_entropy(model(batch), labels)
        loss.backward()
        optimizer.step()
        calls += 1
        synchronise(batch.device)

    return step
