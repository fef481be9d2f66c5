"""One model's score on one data set with the interval that its trainings allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from bench.evaluation.scores import is_multi_label
from bench.records.schema import Record
from bench.report.collect import training_of
from bench.report.figures.source import Source, seed_of, task_of
from bench.statistics.delong import auc_over_images, macro_auc_parts
from bench.statistics.intervals import IntervalEstimate, wilson_over_images
from bench.statistics.over_seeds import difference_over_seeds

Metric = Literal["ACC", "AUC"]
METRICS: tuple[Metric, ...] = ("ACC", "AUC")


def value_of(record: Record, metric: Metric) -> float | None:
    """ACC or AUC on the test split; an AUC may be undefined."""
    test = training_of(record).test
    return test.acc if metric == "ACC" else test.auc


def by_seed(runs: Sequence[Record], metric: Metric) -> dict[int, float] | None:
    """Seed → score; None where one is undefined."""
    values = {seed_of(record): value_of(record, metric) for record in runs}
    present = {seed: value for seed, value in values.items() if value is not None}
    return present if present and len(present) == len(values) else None


def scored(source: Source, runs: Sequence[Record], metric: Metric) -> IntervalEstimate:
    """The mean over seeds with Student's t interval over them; of one seed, over test images.

    One seed's accuracy has Wilson's interval and its AUC DeLong's.
    """
    values = by_seed(runs, metric)
    if values is None:
        return IntervalEstimate(None, None, None, "seeds", f"{metric} is undefined")
    if len(values) > 1:
        found = difference_over_seeds(values, dict.fromkeys(values, 0.0)).estimate
        same = "every seed gives the same score: no spread to use"
        return replace(found, blank=same) if found.low is None else found
    (record,) = runs
    if metric == "AUC":
        return auc_over_images(macro_auc_parts(*source.predicted(record), task_of(record)))
    test = training_of(record).test
    if is_multi_label(task_of(record)):
        reason = "a mean over labels is no proportion of images"
        return IntervalEstimate(test.acc, None, None, "images", reason)
    interval = wilson_over_images(round(test.acc * test.images), test.images)
    return IntervalEstimate(test.acc, interval.low, interval.high, "images")
