"""Which epoch's weights are kept, decided on the validation split alone."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bench.errors import RunFailed
from bench.records.schema import Epoch, Scores

Criterion = Literal["auc", "acc", "loss", "last"]


@dataclass(frozen=True)
class Selection:
    """A finished training with the chosen weights in ``model``: what unlocks the test split."""

    model: nn.Module
    epoch: int
    epochs: tuple[Epoch, ...]
    val_logits: NDArray[np.float16]
    val_scores: Scores
    train_images_per_s: float

    @property
    def is_final(self) -> bool:
        return True


@dataclass
class BestSoFar:
    """Keeps a copy of the best weights; of equals the earlier epoch stays."""

    criterion: Criterion
    epoch: int = 0
    value: float = -math.inf
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    logits: NDArray[np.float16] | None = None
    scores: Scores | None = None

    def offer(
        self, epoch: int, model: nn.Module, logits: NDArray[np.float16], scores: Scores
    ) -> bool:
        """Take this epoch's weights if they are better; says whether they were."""
        value = _worth(self.criterion, epoch, scores)
        if value <= self.value:
            return False
        self.epoch, self.value, self.logits, self.scores = epoch, value, logits, scores
        self.weights = copy.deepcopy(model.state_dict())
        return True

    def state(self) -> dict[str, Any]:
        """As plain values and tensors, for a checkpoint."""
        return {
            "epoch": self.epoch,
            "value": self.value,
            "weights": self.weights,
            "logits": None if self.logits is None else torch.from_numpy(self.logits),
            "scores": None if self.scores is None else self.scores.model_dump_json(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """What :meth:`state` gave."""
        self.epoch, self.value, self.weights = state["epoch"], state["value"], state["weights"]
        logits, scores = state["logits"], state["scores"]
        self.logits = None if logits is None else logits.cpu().numpy()
        self.scores = None if scores is None else Scores.model_validate_json(scores)


def _worth(criterion: Criterion, epoch: int, scores: Scores) -> float:
    """Higher is better. AUC averages the classes that the validation split has."""
    if criterion == "auc":
        if scores.auc_present is None:
            raise RunFailed(
                "the validation split shows one class only, so AUC cannot choose a checkpoint; "
                "select on acc or loss in the protocol"
            )
        return scores.auc_present
    return {"acc": scores.acc, "loss": -scores.loss, "last": float(epoch)}[criterion]
