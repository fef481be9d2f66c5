"""A short training under watch: does what should learn learn, by the steps that were asked for?

Nothing here asks the code under trial whether it is right: rates come from the protocol's formula,
the size of an update from Adam's equation.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.regress.probes.answering import answer
from bench.regress.probes.checking import Check, Fault, outcome, run_fields

SEED = 0
STEP_WITHIN = 0.05  # of the learning rate: the median step of Adam's first update
LR_WITHIN = 1e-6  # relative


class Watched:
    """A model, its data and its protocol, as the tree prepares them."""

    def __init__(self, request: dict[str, Any], dataset: Any) -> None:
        from bench.run.experiment import prepare
        from bench.specs import RunSpec

        self.request, self.classes = request, len(dataset.class_names)
        self.spec = RunSpec.model_validate(
            run_fields(
                request["model"],
                dataset,
                request["protocol"],
                image_size=request["image_size"],
                source_size=request["source_size"],
                seed=SEED,
                threads=request["threads"],
            )
        )
        self.prepared = prepare(self.spec, dataset)
        self.model: nn.Module = self.prepared.built.model
        self.before = {k: v.detach().clone() for k, v in self.model.named_parameters()}

    def gradient_reaches_parts(self) -> str:
        """Each module of the names given has a gradient that is not zero in every weight's tensor.

        The network's own last gradient would not do: what it is worth at the start is asked.
        """
        names = self.request["parts"]
        images, labels = self._batch()
        self.model.train().zero_grad(set_to_none=True)
        F.cross_entropy(self.model(images), labels).backward()
        reached: Counter[str] = Counter()
        for path, module in self.model.named_modules():
            part = path.rpartition(".")[2]
            if part not in names:
                continue
            weights = list(module.named_parameters())
            if not weights:
                raise Fault(f"{path} has no weights: nothing is learnt there")
            for name, weight in weights:
                if not weight.requires_grad:
                    raise Fault(f"{path}.{name} is frozen: it asks for no gradient")
                if weight.grad is None:
                    raise Fault(f"no gradient reaches {path}.{name}")
                if not bool(weight.grad.any()) or not bool(weight.grad.isfinite().all()):
                    raise Fault(f"the gradient of {path}.{name} is zero or not finite throughout")
            reached[part] += 1
        missing = [name for name in names if not reached[name]]
        if missing:
            raise Fault(f"the model has no part {missing[0]!r}")
        self.model.zero_grad(set_to_none=True)
        return ", ".join(f"{count} × {name}" for name, count in sorted(reached.items()))

    def _batch(self) -> tuple[Tensor, Tensor]:
        from bench.data.feed import batches

        feed, setting = self.prepared.train, self.prepared.setting
        return next(batches(feed, setting.protocol.batch_size, channels=setting.channels))

    def learning_rate(self) -> str:
        """Every update's rate is the protocol's, and the first update is as large as it says.

        The training is brought to its end whatever was found: others look at what it left.
        """
        from bench.data.feed import batches
        from bench.training.loop import Trainer

        setting = self.prepared.setting
        trainer = Trainer(self.model, self.prepared.train, self.prepared.val, setting)
        order = torch.Generator().manual_seed(0)
        per_epoch = math.ceil(len(self.prepared.train) / setting.protocol.batch_size)
        wanted = scheduled(self.request["protocol"], per_epoch)
        self.model.train()
        update = 0
        wrong: list[str] = []
        for _ in range(self.request["protocol"]["epochs"]):
            loader = batches(
                self.prepared.train,
                setting.protocol.batch_size,
                channels=setting.channels,
                order=order,
            )
            for images, labels in loader:
                for group in trainer.optimizer.param_groups:
                    if abs(group["lr"] / wanted[update] - 1) > LR_WITHIN:
                        wrong.append(
                            f"update {update + 1} has the rate {group['lr']:.3g}, "
                            f"the protocol says {wanted[update]:.3g}"
                        )
                trainer.update(images, labels)
                update += 1
        if "bench" in self.request["packages"]:  # where the harness is on trial
            wrong += self._first_step(wanted[0])
        if wrong:
            raise Fault(wrong[0])
        return f"{update} updates, from {wanted[0]:.3g} by {max(wanted):.3g} to {wanted[-1]:.3g}"

    def _first_step(self, lr: float) -> list[str]:
        """What is wrong with the first update of a plain network, for matrices and for vectors.

        Adam's moves a weight by lr · g/(|g| + ε): by lr, whatever the gradient (Kingma and Ba 2015,
        arXiv 1412.6980, algorithm 1 at t = 1). Decay (Loshchilov and Hutter 2019, arXiv 1711.05101)
        adds lr · λ · w, which is hundredths of that. An optimizer treats biases and norms apart
        from matrices: their many weights must not hide the few. The network is the gate's own: one
        under trial may keep its first gradients at zero.
        """
        from bench.training.loop import Trainer

        images, labels = self._batch()
        model = plain_network(images.shape[1], self.classes)
        before = [weight.detach().clone() for weight in model.parameters()]
        trainer = Trainer(model, self.prepared.train, self.prepared.val, self.prepared.setting)
        model.train()
        trainer.update(images, labels)
        wrong = []
        for what, vectors in (("a weight of a matrix", False), ("a bias or a norm's", True)):
            steps = [
                (weight.detach() - was).abs().flatten()
                for weight, was in zip(model.parameters(), before, strict=True)
                if (weight.ndim <= 1) == vectors
            ]
            median = float(torch.cat(steps).median())
            if abs(median / lr - 1) > STEP_WITHIN:
                said = f"the first update moves {what} by {median:.3g}"
                wrong.append(f"{said}, the protocol's rate is {lr:.3g}")
        return wrong

    def _named(self) -> list[tuple[str, nn.Parameter]]:
        return list(self.model.named_parameters())

    def every_parameter_moves(self) -> str:
        """After the training nothing is as it was, and nothing is other than a number."""
        still, strange = [], []
        for name, weight in self._named():
            if torch.equal(weight.detach(), self.before[name]):
                still.append(name)
            if not bool(weight.isfinite().all()):
                strange.append(name)
        if still or strange:
            named = (still or strange)[0]
            raise Fault(f"{len(still)} tensors never move, {len(strange)} not finite: {named}")
        return f"{len(self.before)} tensors"


def plain_network(channels: int, classes: int) -> nn.Module:
    """Of which every weight has a gradient from the start."""
    torch.manual_seed(SEED)
    return nn.Sequential(
        nn.Conv2d(channels, 8, 5, stride=2, bias=False),
        nn.BatchNorm2d(8),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(8 * 16, classes),
    )


def scheduled(protocol: dict[str, Any], per_epoch: int) -> list[float]:
    """The rate of every update: linear warm-up that ends at the full rate, then a half cosine.

    Loshchilov and Hutter 2017 (arXiv 1608.03983), equation 5, without restarts.
    """
    lr, schedule = protocol["optimizer"]["lr"], protocol["schedule"]
    total = per_epoch * protocol["epochs"]
    warmup = round(schedule["warmup_epochs"] * per_epoch)
    rates = []
    for update in range(total):
        if update < warmup:
            rates.append(lr * (update + 1) / (warmup + 1))
        else:
            share = (update - warmup) / (total - warmup)
            rates.append(lr * (1 + math.cos(math.pi * share)) / 2)
    return rates


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Every check of the training."""
    from bench.data import catalog
    from bench.errors import DataUnavailable
    from bench.specs import DatasetSpec

    data = DatasetSpec.model_validate(request["dataset"])
    try:
        dataset = catalog.load(data, request["source_size"])
    except DataUnavailable as error:
        return {"checks": [], "unavailable": str(error)}
    if request.get("load_only"):
        return {"checks": [], "unavailable": None}
    watched = Watched(request, dataset)
    checks: list[tuple[str, Check]] = []
    if request["parts"]:
        checks.append(("gradient reaches every part", watched.gradient_reaches_parts))
    checks.append(("learning rate as the protocol says", watched.learning_rate))
    checks.append(("every parameter moves in training", watched.every_parameter_moves))
    return {"checks": [outcome(*check) for check in checks], "unavailable": None}


if __name__ == "__main__":
    answer(look)
