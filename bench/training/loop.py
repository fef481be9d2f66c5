"""The training loop: plain PyTorch, the same for every model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from bench.data.augment import augment
from bench.data.feed import Feed, batches
from bench.errors import RunFailed
from bench.evaluation.predict import autocast, predict
from bench.evaluation.scores import score
from bench.records.schema import Epoch
from bench.specs import Precision, Protocol, Task
from bench.training.objective import Loss, make_loss
from bench.training.optimization import AfterUpdate, make_optimizer, make_schedule
from bench.training.seeds import SeedStreams
from bench.training.selection import BestSoFar, Selection


@dataclass(frozen=True)
class Setting:
    """What a training needs beside the model and the two splits it may see."""

    task: Task
    class_names: tuple[str, ...]
    protocol: Protocol
    seeds: SeedStreams
    channels: int
    precision: Precision
    augmentations: dict[str, float]  # those of the protocol that keep this data set's labels


@dataclass(frozen=True)
class Progress:
    """Where a training stands; ``fraction`` of all its updates are done."""

    epoch: int
    epochs: int
    fraction: float
    val_auc: float | None


def fit(
    model: nn.Module,
    train: Feed,
    val: Feed,
    setting: Setting,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Selection:
    """Train ``model`` and return it with the weights that validation chose.

    Random choices come from ``setting.seeds`` alone; torch's global generator is seeded here for
    drop path and dropout and put back afterwards.

    Raises:
        RunFailed: the loss or a logit is not finite.
    """
    with torch.random.fork_rng(devices=[train.device] if train.device.type == "cuda" else []):
        torch.manual_seed(setting.seeds.regularisation)
        return _Trainer(model, train, val, setting, on_progress).run()


class _Trainer:
    def __init__(
        self,
        model: nn.Module,
        train: Feed,
        val: Feed,
        setting: Setting,
        on_progress: Callable[[Progress], None],
    ) -> None:
        protocol, device = setting.protocol, train.device
        self.model = model.to(device).to(memory_format=torch.channels_last)
        self.train, self.val, self.setting = train, val, setting
        self.on_progress = on_progress
        self.updates_per_epoch = _updates(len(train), protocol.batch_size)
        self.updates = 0
        self.loss: Loss = make_loss(setting.task, protocol, train.labels, len(setting.class_names))
        self.optimizer = make_optimizer(model, protocol)
        self.after_update: AfterUpdate = make_schedule(
            self.optimizer, protocol, self.updates_per_epoch
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=setting.precision == "float16")
        self.ema = (
            ModelEmaV3(model, decay=protocol.ema_decay, use_warmup=True)
            if protocol.ema_decay is not None
            else None
        )
        self.order = torch.Generator().manual_seed(setting.seeds.order)
        self.augmentation = torch.Generator(device).manual_seed(setting.seeds.augmentation)
        self.last_auc: float | None = None

    def run(self) -> Selection:
        protocol = self.setting.protocol
        best, history, train_seconds = BestSoFar(protocol.select), [], 0.0
        for epoch in range(1, protocol.epochs + 1):
            started = time.perf_counter()
            train_loss = self._train_epoch(epoch)
            train_seconds += time.perf_counter() - started
            history.append(self._validate(epoch, train_loss, started, best))
        if best.logits is None or best.scores is None:
            raise RunFailed("no epoch could be selected")
        chosen = self._evaluated()
        chosen.load_state_dict(best.weights)
        return Selection(
            model=chosen,
            epoch=best.epoch,
            epochs=tuple(history),
            val_logits=best.logits,
            val_scores=best.scores,
            train_images_per_s=len(self.train) * protocol.epochs / train_seconds,
        )

    def _train_epoch(self, epoch: int) -> float:
        """One pass over the training split; its mean loss, read from the device once."""
        protocol = self.setting.protocol
        self.model.train()
        total = torch.zeros((), device=self.train.device)
        for images, labels in batches(
            self.train, protocol.batch_size, channels=self.setting.channels, order=self.order
        ):
            total += self._update(
                augment(images, self.setting.augmentations, self.augmentation), labels
            )
            self.on_progress(self._progress(epoch))
        mean = float(total) / self.updates_per_epoch
        if not math.isfinite(mean):
            raise RunFailed(f"the training loss became {mean} in epoch {epoch}")
        return mean

    def _update(self, images: Tensor, labels: Tensor) -> Tensor:
        protocol = self.setting.protocol
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(images.device, self.setting.precision):
            logits = self.model(images.to(memory_format=torch.channels_last))
            loss = self.loss(logits, labels)
        self.scaler.scale(loss).backward()
        if protocol.clip_grad_norm is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), protocol.clip_grad_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.updates += 1
        self.after_update(self.updates)
        if self.ema is not None:
            self.ema.update(self.model, step=self.updates)
        return loss.detach()

    def _validate(self, epoch: int, train_loss: float, started: float, best: BestSoFar) -> Epoch:
        setting = self.setting
        model = self._evaluated()
        logits = predict(
            model,
            self.val,
            batch_size=setting.protocol.eval_batch_size,
            channels=setting.channels,
            precision=setting.precision,
        )
        labels = self.val.labels.cpu().numpy()
        scores = score(logits, labels, setting.task, setting.class_names)
        best.offer(epoch, model, logits, scores)
        self.last_auc = scores.auc_present
        self.on_progress(self._progress(epoch))
        return Epoch(
            epoch=epoch,
            train_loss=train_loss,
            val_loss=scores.loss,
            val_acc=scores.acc,
            val_auc=scores.auc_present,
            lr=float(self.optimizer.param_groups[0]["lr"]),
            seconds=time.perf_counter() - started,
        )

    def _evaluated(self) -> nn.Module:
        """The weights that are validated and kept: the moving average where there is one."""
        if self.ema is None:
            return self.model
        averaged: nn.Module = self.ema.module
        return averaged

    def _progress(self, epoch: int) -> Progress:
        epochs = self.setting.protocol.epochs
        total = self.updates_per_epoch * epochs
        return Progress(epoch, epochs, self.updates / total, self.last_auc)


def _updates(images: int, batch_size: int) -> int:
    """Batches an epoch has, as ``bench.data.feed.batches`` makes them."""
    return math.ceil((images - int(images % batch_size == 1 and images > 1)) / batch_size)


def shuffled_labels(train: Feed, seed: int) -> Feed:
    """The same images with their labels permuted: what can be learnt from it is nothing."""
    order = np.random.default_rng(seed).permutation(len(train))
    return train.relabelled(train.labels[torch.from_numpy(order).to(train.device)])
