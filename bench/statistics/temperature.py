"""Temperature scaling: one number, fitted on validation, that divides every logit.

Guo, Pleiss, Sun & Weinberger 2017 (ICML): the temperature of the least cross-entropy. It changes
no decision at the largest logit, and of two classes or several labels no ranking, hence no AUC; of
more classes it may, a little: each class's softmax holds the others' logits. Several labels: a
sigmoid each, and the mean of their binary cross-entropies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from bench.specs import Task
from bench.statistics.decisions import MULTI_LABEL, Floats, Ints

LOWEST, HIGHEST = 0.05, 20.0
"""Where the search ends: perfectly separated images would want 0, logits of no use infinity."""

_EDGE = 1e-3  # of the logarithm


@dataclass(frozen=True)
class Temperature:
    """The fitted temperature.

    Attributes:
        value: within ``LOWEST`` to ``HIGHEST``; None where there is none.
        note: why there is none, or that a bound was reached.
    """

    value: float | None
    note: str | None = None


def fit_temperature(logits: Floats, labels: Ints, task: Task) -> Temperature:
    """The temperature of the least cross-entropy on these images, by bounded minimisation of its
    logarithm; the cross-entropy is convex in ``1 / T``, so there is one minimum.

    Args:
        logits: ``(N, C)``, finite.
        labels: ``(N,)`` class indices, or ``(N, C)`` zeros and ones for several labels.
    """
    if len(logits) == 0:
        return Temperature(None, "no validation images")
    told = logits if task == MULTI_LABEL else logits - logits.mean(axis=1, keepdims=True)
    if not np.any(told):
        return Temperature(None, "every class has the same logit: no temperature changes anything")
    bounds = math.log(LOWEST), math.log(HIGHEST)
    found = optimize.minimize_scalar(
        lambda log: cross_entropy_at(math.exp(log), logits, labels, task),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-6},
    )
    at = float(found.x)
    ends = [cross_entropy_at(end, logits, labels, task) for end in (LOWEST, HIGHEST)]
    if at - bounds[0] < _EDGE or ends[0] <= found.fun:
        return Temperature(LOWEST, f"lowest allowed ({LOWEST:g}): validation is separated")
    if bounds[1] - at < _EDGE or ends[1] <= found.fun:
        return Temperature(HIGHEST, f"highest allowed ({HIGHEST:g}): its logits do not help")
    return Temperature(math.exp(at))


def cross_entropy_at(temperature: float, logits: Floats, labels: Ints, task: Task) -> float:
    """Mean cross-entropy of ``logits / temperature`` in nats, from logits, so that it never ends
    at a probability of 0."""
    scaled = logits / temperature
    if task == MULTI_LABEL:
        return float(np.logaddexp(0.0, np.where(labels == 1, -scaled, scaled)).mean())
    chosen = np.take_along_axis(scaled, labels[:, None], axis=1)[:, 0]
    top = scaled.max(
        axis=1
    )  # as scipy's logsumexp, which costs several times as much on few images
    total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    return float((total - chosen).mean())
