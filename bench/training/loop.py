"""The training loop: plain PyTorch, the same for every model."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
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
from bench.training.checkpoint import CheckpointFile, State
from bench.training.generators import global_states, restore_global_states
from bench.training.length import passes_per_epoch, updates_per_epoch, updates_per_pass
from bench.training.objective import Loss, make_loss
from bench.training.optimization import AfterUpdate, make_optimizer, make_schedule
from bench.training.seeds import SeedStreams
from bench.training.selection import BestSoFar, Selection

log = logging.getLogger(__name__)


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
    compiled: str | None = None  # torch.compile's mode for the training passes


@dataclass(frozen=True)
class Progress:
    """Where a training stands; ``fraction`` of all its updates are done."""

    epoch: int
    epochs: int
    fraction: float
    val_auc: float | None
    images_per_s: float | None = None  # of training, in this process
    last_epoch: Epoch | None = None  # set when an epoch has just been validated


def fit(
    model: nn.Module,
    train: Feed,
    val: Feed,
    setting: Setting,
    on_progress: Callable[[Progress], None] = lambda _: None,
    checkpoints: CheckpointFile | None = None,
) -> Selection:
    """Train ``model`` and return it with the weights that validation chose.

    Random choices come from ``setting.seeds`` alone; torch's global generator is seeded here for
    drop path and dropout and put back afterwards. With ``checkpoints``, an interrupted training
    goes on where its last checkpoint was taken, and gives the bits it would have given.

    Raises:
        RunFailed: the loss or a logit is not finite.
    """
    with torch.random.fork_rng(devices=[train.device] if train.device.type == "cuda" else []):
        torch.manual_seed(setting.seeds.regularisation)
        return Trainer(model, train, val, setting, on_progress, checkpoints).run()


class Trainer:
    """One training and all that it needs to be continued elsewhere."""

    def __init__(
        self,
        model: nn.Module,
        train: Feed,
        val: Feed,
        setting: Setting,
        on_progress: Callable[[Progress], None] = lambda _: None,
        checkpoints: CheckpointFile | None = None,
    ) -> None:
        protocol, device = setting.protocol, train.device
        self.model = model.to(device).to(memory_format=torch.channels_last)
        self.train, self.val, self.setting = train, val, setting
        self.on_progress, self.checkpoints = on_progress, checkpoints
        self.passes = passes_per_epoch(protocol, len(train))
        self.updates_per_epoch = updates_per_epoch(protocol, len(train))
        self.forward: Callable[[Tensor], Tensor] = self.model
        if setting.compiled is not None:
            torch.compiler.reset()  # what earlier runs compiled counts against this one's limit
            self.forward = torch.compile(self.model, mode=setting.compiled, dynamic=False)
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
        self.order_before = self.order.get_state()  # of the epoch under way: draws its order again
        self.augmentation = torch.Generator(device).manual_seed(setting.seeds.augmentation)
        self.updates = 0
        self.loss_sum = torch.zeros((), device=device)  # over the epoch under way
        self.best, self.history = BestSoFar(protocol.select), list[Epoch]()
        self.train_s = self.epoch_s = 0.0  # of finished epochs; of the epoch under way, if resumed
        self._here = (0, time.perf_counter())  # updates and time from which the pace is told

    def run(self) -> Selection:
        """All epochs, those done before an interruption left out."""
        protocol = self.setting.protocol
        kept = self.checkpoints.load() if self.checkpoints else None
        if kept is not None:
            self.restore(kept)
        self._here = (self.updates, time.perf_counter())
        while len(self.history) < protocol.epochs:
            started = time.perf_counter() - self.epoch_s
            train_loss = self._train_epoch(started)
            self.train_s += time.perf_counter() - started
            self._validate(train_loss, started)
        if self.best.logits is None or self.best.scores is None:
            raise RunFailed("no epoch could be selected")
        chosen = self.evaluated()
        chosen.load_state_dict(self.best.weights)
        return Selection(
            model=chosen,
            epoch=self.best.epoch,
            epochs=tuple(self.history),
            val_logits=self.best.logits,
            val_scores=self.best.scores,
            train_images_per_s=len(self.train) * self.passes * protocol.epochs / self.train_s,
        )

    @property
    def batches_done(self) -> int:
        """Of the epoch under way."""
        return self.updates - len(self.history) * self.updates_per_epoch

    def _train_epoch(self, started: float) -> float:
        """The rest of an epoch; its mean loss, read from the device once."""
        setting = self.setting
        self.model.train()
        for images, labels in self._batches():
            augmented = augment(
                images, setting.augmentations, self.augmentation, setting.protocol.augment_count
            )
            self.loss_sum += self.update(augmented, labels)
            self.on_progress(self._progress())
            if self.checkpoints is not None and self.checkpoints.due():
                self.epoch_s = time.perf_counter() - started
                self.checkpoints.save(self.state(), self.updates)
        mean = float(self.loss_sum) / self.updates_per_epoch
        if not math.isfinite(mean):
            raise RunFailed(f"the training loss became {mean} in epoch {len(self.history) + 1}")
        return mean

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Those of the epoch under way that are still to come."""
        protocol, done = self.setting.protocol, self.batches_done
        per_pass = updates_per_pass(len(self.train), protocol.batch_size)
        for _ in range(self.passes):
            yield from batches(
                self.train,
                protocol.batch_size,
                channels=self.setting.channels,
                order=self.order,
                sampling=protocol.sampling,
                skip=min(done, per_pass),
            )
            done = max(0, done - per_pass)

    def update(self, images: Tensor, labels: Tensor) -> Tensor:
        """One update of the weights on a batch; its loss, still on the device.

        With ``accumulate`` above 1 the batch passes in that many parts, whose gradients are summed
        in proportion to their images: less memory, and another training wherever batch
        normalisation or class weights see the part instead of the whole.
        """
        protocol = self.setting.protocol
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=images.device)
        count = max(1, min(protocol.accumulate, len(images) // 2))  # no part of one image
        parts = zip(images.tensor_split(count), labels.tensor_split(count), strict=True)
        for part, part_labels in parts:
            with autocast(images.device, self.setting.precision):
                logits = self.forward(part.to(memory_format=torch.channels_last))
                loss = self.loss(logits, part_labels) * (len(part) / len(images))
            self.scaler.scale(loss).backward()
            total += loss.detach()
        if protocol.clip_grad_norm is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), protocol.clip_grad_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.updates += 1
        self.after_update(self.updates)
        if self.ema is not None:
            self.ema.update(self.model, step=self.updates)
        return total

    def _validate(self, train_loss: float, started: float) -> None:
        """Score the validation split and close the epoch."""
        setting, model = self.setting, self.evaluated()
        logits = predict(
            model,
            self.val,
            batch_size=setting.protocol.eval_batch_size,
            channels=setting.channels,
            precision=setting.precision,
        )
        labels = self.val.labels.cpu().numpy()
        scores = score(logits, labels, setting.task, setting.class_names)
        number = len(self.history) + 1
        self.best.offer(number, model, logits, scores)
        epoch = Epoch(
            epoch=number,
            train_loss=train_loss,
            val_loss=scores.loss,
            val_acc=scores.acc,
            val_auc=scores.auc_present,
            lr=float(self.optimizer.param_groups[0]["lr"]),
            seconds=time.perf_counter() - started,
        )
        self.history.append(epoch)
        self.epoch_s, self.order_before = 0.0, self.order.get_state()
        self.loss_sum.zero_()
        self.on_progress(self._progress(epoch))

    def evaluated(self) -> nn.Module:
        """The weights that are validated and kept: the moving average where there is one."""
        if self.ema is None:
            return self.model
        averaged: nn.Module = self.ema.module
        return averaged

    def _progress(self, last: Epoch | None = None) -> Progress:
        epochs = self.setting.protocol.epochs
        before, since = self._here
        spent = time.perf_counter() - since
        images = (self.updates - before) * self.setting.protocol.batch_size
        return Progress(
            epoch=min(len(self.history) + 1, epochs) if last is None else last.epoch,
            epochs=epochs,
            fraction=self.updates / (self.updates_per_epoch * epochs),
            val_auc=self.history[-1].val_auc if self.history else None,
            images_per_s=images / spent if spent > 0 else None,
            last_epoch=last,
        )

    def state(self) -> State:
        """All that the updates still to come depend on, between two of them."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "ema": self.ema.module.state_dict() if self.ema is not None else None,
            "updates": self.updates,
            "loss_sum": self.loss_sum,
            "best": self.best.state(),
            "history": [epoch.model_dump_json() for epoch in self.history],
            "seconds": [self.train_s, self.epoch_s],
            "order": self.order_before,
            "augmentation": self.augmentation.get_state(),
            "global": global_states(self.train.device),
        }

    def restore(self, state: State) -> None:
        """Go on where :meth:`state` was taken; the learning rate is a function of the updates."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        if self.ema is not None:
            self.ema.module.load_state_dict(state["ema"])
        self.updates = state["updates"]
        self.loss_sum = state["loss_sum"].to(self.train.device)
        self.best.restore(state["best"])
        self.history = [Epoch.model_validate_json(text) for text in state["history"]]
        self.train_s, self.epoch_s = state["seconds"]
        self.order_before = state["order"].cpu()
        self.order.set_state(self.order_before)
        self.augmentation.set_state(state["augmentation"].cpu())
        self.after_update(self.updates)
        restore_global_states(state["global"], self.train.device)
        log.info("goes on from a checkpoint after %d updates", self.updates)


def shuffled_labels(train: Feed, seed: int) -> Feed:
    """The same images with their labels permuted: what can be learnt from it is nothing."""
    order = np.random.default_rng(seed).permutation(len(train))
    return train.relabelled(train.labels[torch.from_numpy(order).to(train.device)])
