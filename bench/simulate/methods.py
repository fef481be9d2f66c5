"""The methods on trial, by the names that the page gives them; a test can plant a bad one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.statistics.bootstrap import bootstrap_over_images
from bench.statistics.delong import auc_over_images
from bench.statistics.intervals import IntervalEstimate, wilson_over_images
from bench.statistics.over_seeds import difference_over_seeds
from bench.statistics.over_seeds_and_images import (
    auc_over_seeds_and_images,
    mean_over_seeds_and_images,
)
from bench.statistics.two_trainings import (
    accuracy_difference_over_images,
    auc_difference_over_images,
    mcnemar_two_trainings,
)
from bench.statistics.verdict import over_family, verdict_over_seeds

BOOTSTRAP = "ACC of a training, over images: stratified bootstrap"
WILSON = "ACC of a training, over images: Wilson"
PAIRED = "ACC, two trainings' difference, over images: paired bootstrap"
DELONG = "AUC of a training, over images: DeLong, logit"
DELONG_PAIRED = "AUC, two trainings' difference, over images: DeLong"
OVER_SEEDS = "ACC, two models' difference, over seeds: paired t"
APART = "ACC, two models' difference, over seeds: Welch, no shared seeds"
BOTH = "ACC of a model, over seeds and images"
BOTH_DIFFERENCE = "ACC, two models' difference, over seeds and images"
AUC_BOTH = "AUC of a model, over seeds and images"
AUC_BOTH_DIFFERENCE = "AUC, two models' difference, over seeds and images"
VERDICT = "better or worse, one comparison"
FAMILY = "better or worse, any of a family, Holm"
EQUIVALENT = "equivalent"
SEED_BOOTSTRAP = "95 % percentile bootstrap over seeds holds the mean"
MCNEMAR = "McNemar on one training each: two trainings of one model differ"
AHEAD = "of two equal models' single runs one is ahead"
ALL_IMAGES = "two models that are equal over all images: better or worse, over seeds alone"
ALL_BOTH = "the same: interval over seeds and images excludes zero"


@dataclass(frozen=True)
class Methods:
    """The project's own functions, each of which may be replaced."""

    bootstrap: Callable[..., IntervalEstimate] = bootstrap_over_images
    wilson: Callable[..., Any] = wilson_over_images
    paired: Callable[..., IntervalEstimate] = accuracy_difference_over_images
    delong: Callable[..., IntervalEstimate] = auc_over_images
    delong_paired: Callable[..., Any] = auc_difference_over_images
    over_seeds: Callable[..., Any] = difference_over_seeds
    both: Callable[..., IntervalEstimate] = mean_over_seeds_and_images
    auc_both: Callable[..., IntervalEstimate] = auc_over_seeds_and_images
    mcnemar: Callable[..., Any] = mcnemar_two_trainings
    verdict: Callable[..., Any] = verdict_over_seeds
    family: Callable[..., Any] = over_family


OURS = Methods()
