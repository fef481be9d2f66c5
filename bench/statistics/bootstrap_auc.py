"""The bootstrap of an AUC over test images; DeLong's variance says the same much faster.

A resample gives each image a weight (how often it was drawn), so scores are sorted once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.specs import Task
from bench.statistics.decisions import Floats, Ints, strata, truth
from bench.statistics.delong import macro_auc_parts
from bench.statistics.intervals import LEVEL, IntervalEstimate

DRAWS = 2000
_CHUNK = 100  # resamples at once; bounds the memory
_LOST = 0.05  # share of resamples without some class beyond which there is no interval


def bootstrap_auc_over_images(
    trainings: Sequence[Floats],
    labels: Ints,
    task: Task,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> IntervalEstimate:
    """AUC of one given training, or the difference first − second of two on the same images.

    Args:
        trainings: one or two arrays of probabilities ``(N, C)``.
        labels: as in :func:`~bench.statistics.delong.macro_auc_parts`.
    """
    found = [macro_auc_parts(probs, labels, task) for probs in trainings]
    values = [one.value for one in found if one.value is not None]
    if len(values) < len(found):
        return IntervalEstimate(None, None, None, "images", found[0].blank, level)
    value = values[0] - (values[1] if len(values) > 1 else 0.0)
    columns = [_columns(probs, labels, task) for probs in trainings]
    classes, drawn = strata(labels), []
    for start in range(0, draws, _CHUNK):
        weights = _weights(classes, rng, min(_CHUNK, draws - start))
        aucs = [
            np.mean([_weighted_auc(column, weights) for column in one], axis=0) for one in columns
        ]
        drawn.append(aucs[0] - (aucs[1] if len(aucs) > 1 else 0.0))
    resampled = np.concatenate(drawn)
    usable = resampled[np.isfinite(resampled)]
    reason = None
    if len(usable) < (1 - _LOST) * draws:
        reason = f"{draws - len(usable)} of {draws} resamples lack a class"
    elif np.ptp(usable) == 0:
        reason = "resamples do not differ"
    if reason is not None:
        return IntervalEstimate(value, None, None, "images", reason, level)
    low, high = np.quantile(usable, [(1 - level) / 2, (1 + level) / 2])
    return IntervalEstimate(value, float(low), float(high), "images", None, level)


_Column = tuple[Ints, Ints, NDArray[np.bool_]]
"""Of one class: order of the images by score, where each run of ties starts, who is positive."""


def _columns(probs: Floats, labels: Ints, task: Task) -> list[_Column]:
    positive = truth(labels, probs.shape[1])
    chosen = [probs.shape[1] - 1] if task == "binary-class" else range(probs.shape[1])
    columns = []
    for index in chosen:
        order = np.argsort(probs[:, index], kind="stable")
        ordered = probs[order, index]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        columns.append((order, starts, positive[order, index]))
    return columns


def _weights(classes: Ints, rng: np.random.Generator, draws: int) -> Floats:
    """How often each image is drawn, ``(draws, N)``."""
    weights = np.empty((draws, len(classes)))
    for stratum in np.unique(classes):
        of_class = np.flatnonzero(classes == stratum)
        share = np.full(len(of_class), 1.0 / len(of_class))
        weights[:, of_class] = rng.multinomial(len(of_class), share, size=draws)
    return weights


def _weighted_auc(column: _Column, weights: Floats) -> Floats:
    """AUC of each row of weights; NaN where a group was not drawn at all."""
    order, starts, positive = column
    ordered = weights[:, order]
    of_positive = np.add.reduceat(np.where(positive, ordered, 0.0), starts, axis=1)
    of_negative = np.add.reduceat(np.where(positive, 0.0, ordered), starts, axis=1)
    below = np.cumsum(of_negative, axis=1) - of_negative / 2.0
    pairs = of_positive.sum(axis=1) * of_negative.sum(axis=1)
    won = (of_positive * below).sum(axis=1)
    blank = np.full(len(won), np.nan)
    return np.asarray(np.divide(won, pairs, out=blank, where=pairs > 0))
