"""timm's optimizers and schedulers, driven by the protocol."""

from __future__ import annotations

from collections.abc import Callable

import torch
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler, MultiStepLRScheduler
from torch import nn

from bench.specs import Protocol

TIMM_NAMES = {"adamw": "adamw", "adam": "adam", "sgd": "momentum"}
"""timm's ``sgd`` is Nesterov's; ``momentum`` is the plain one that papers mean by SGD."""


def make_optimizer(model: nn.Module, protocol: Protocol) -> torch.optim.Optimizer:
    """The protocol's optimizer; weight decay spares biases, norms and what the model exempts."""
    chosen = protocol.optimizer
    momentum = {"momentum": chosen.momentum} if chosen.name == "sgd" else {}
    optimizer: torch.optim.Optimizer = create_optimizer_v2(
        model,
        opt=TIMM_NAMES[chosen.name],
        lr=chosen.lr,
        weight_decay=chosen.weight_decay,
        **momentum,
    )
    return optimizer


AfterUpdate = Callable[[int], None]
"""Called with the number of updates done so far."""


def make_schedule(
    optimizer: torch.optim.Optimizer, protocol: Protocol, updates_per_epoch: int
) -> AfterUpdate:
    """Set the first learning rate now; the returned function sets the next one after each update.

    Warm-up is linear and ends at the full rate; milestones are whole epochs.
    """
    schedule, total = protocol.schedule, protocol.epochs * updates_per_epoch
    warmup = round(schedule.warmup_epochs * updates_per_epoch)
    common = {
        "warmup_t": warmup,
        "warmup_lr_init": protocol.optimizer.lr / (warmup + 1),
        "t_in_epochs": False,
    }
    if schedule.name == "cosine":
        scheduler = CosineLRScheduler(
            optimizer,
            t_initial=max(total - warmup, 1),
            lr_min=protocol.optimizer.lr * schedule.final_lr_fraction,
            warmup_prefix=True,
            **common,
        )
    else:
        milestones = schedule.milestones if schedule.name == "multistep" else []
        scheduler = MultiStepLRScheduler(
            optimizer,
            decay_t=[milestone * updates_per_epoch for milestone in milestones],
            decay_rate=schedule.gamma,
            **common,
        )
    scheduler.step_update(0)
    return lambda updates: scheduler.step_update(min(updates, total - 1))
