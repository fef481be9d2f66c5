"""The subject against each other model on each data set: one declared family a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.report.verdicts.runs import RunFindings
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.over_seeds_and_images import (
    auc_over_seeds_and_images,
    mean_over_seeds_and_images,
)
from bench.statistics.verdict import Verdict, over_family, verdict_over_seeds

Metric = Literal["ACC", "AUC"]
METRICS: tuple[Metric, ...] = ("ACC", "AUC")
BySeed = Mapping[int, RunFindings]


@dataclass(frozen=True)
class Comparison:
    """Subject against ``model`` on ``dataset``.

    Attributes:
        verdict: over seeds, after Holm over the family.
        over_both: the same difference with its interval over seeds *and* images.
        runs: ids of the runs it stands on.
        blank: why there is no difference at all.
    """

    model: str
    dataset: str
    metric: Metric
    verdict: Verdict
    over_both: IntervalEstimate
    runs: tuple[str, ...]
    blank: str | None = None


def by_cell(found: Sequence[RunFindings]) -> dict[tuple[str, str], dict[int, RunFindings]]:
    """Runs by model and data set, then by seed; in the given order."""
    cells: dict[tuple[str, str], dict[int, RunFindings]] = {}
    for run in found:
        cells.setdefault((run.model, run.dataset), {})[run.seed] = run
    return cells


def compare(
    found: Sequence[RunFindings], subject: str, metric: Metric, region: float
) -> list[Comparison]:
    """Every other model on every data set, in the order of the runs; one family."""
    cells = by_cell(found)
    if subject not in {run.model for run in found}:
        return []
    pairs = [
        (dataset, model)
        for dataset in dict.fromkeys(run.dataset for run in found)
        for model in dict.fromkeys(run.model for run in found)
        if model != subject
    ]
    compared = [
        (cells.get((subject, dataset), {}), cells.get((model, dataset), {}))
        for dataset, model in pairs
    ]
    bare = [
        verdict_over_seeds(
            _scores(first, metric), _scores(second, metric), region=region, advise=False
        )
        for first, second in compared
    ]
    return [
        Comparison(
            model=model,
            dataset=dataset,
            metric=metric,
            verdict=verdict,
            over_both=over_seeds_and_images(first, second, metric),
            runs=_ids(first, second),
            blank=_blank(subject, first, model, second, metric),
        )
        for (dataset, model), (first, second), verdict in zip(
            pairs, compared, over_family(bare), strict=True
        )
    ]


def _scores(runs: BySeed, metric: Metric) -> dict[int, float]:
    scores = {seed: run.score(metric) for seed, run in runs.items()}
    return {seed: value for seed, value in scores.items() if value is not None}


def _blank(subject: str, first: BySeed, model: str, second: BySeed, metric: Metric) -> str | None:
    for name, runs in ((subject, first), (model, second)):
        if not runs:
            return f"{name} has no finished run"
        if not _scores(runs, metric):
            return next(iter(runs.values())).auc_parts.blank
    return None


def _ids(first: BySeed, second: BySeed) -> tuple[str, ...]:
    """Of the paired seeds; where none are shared, or one model has no run, of all."""
    shared = first.keys() & second.keys()
    return tuple(
        run.run_id
        for runs in (first, second)
        for seed, run in sorted(runs.items())
        if seed in shared or not shared
    )


def over_seeds_and_images(first: BySeed, second: BySeed, metric: Metric) -> IntervalEstimate:
    """First − second with its interval over other seeds and other test images."""
    seeds = sorted(first.keys() & second.keys())
    pairs = [(first[seed], second[seed]) for seed in seeds]
    blank = None
    if not pairs:
        blank = "no shared seeds"
    elif any(not np.array_equal(pairs[0][0].labels, run.labels) for pair in pairs for run in pair):
        blank = "these runs were not scored on the same test images"
    if blank is not None:
        return IntervalEstimate(None, None, None, "seeds and images", blank)
    if metric == "AUC":
        return auc_over_seeds_and_images(
            [one.auc_parts for one, _ in pairs], [other.auc_parts for _, other in pairs]
        )
    return mean_over_seeds_and_images(np.stack([one.right - other.right for one, other in pairs]))
