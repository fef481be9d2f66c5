"""All models across all data sets of a suite: ranks, and the subject against each other model."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.report.verdicts.comparisons import Metric, by_cell
from bench.report.verdicts.runs import RunFindings, generator
from bench.statistics.bayesian_signed_rank import SignedRankPosterior, bayesian_signed_rank
from bench.statistics.decisions import Floats
from bench.statistics.ranks import (
    Friedman,
    PairAcross,
    critical_difference,
    friedman,
    groups_not_told_apart,
    mean_ranks,
    wilcoxon_holm,
)


@dataclass(frozen=True)
class ModelAcross:
    """One model over the data sets.

    Attributes:
        rank: mean rank, 1 is best.
        pair: the subject against it; None for the subject, or where there is no subject.
        runs: ids of the runs it stands on, the subject's among them where they are compared.
    """

    model: str
    rank: float
    pair: PairAcross | None
    posterior: SignedRankPosterior | None
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Across:
    """Mean scores over seeds, data sets × models, where every model has every data set.

    Attributes:
        models: best rank first; empty where there is a ``blank``.
        critical_difference: Nemenyi's, of mean ranks.
        groups: largest groups of models that it does not tell apart.
        left_out: sentences on models and data sets that are not in it.
        blank: why there is nothing.
    """

    metric: Metric
    datasets: tuple[str, ...]
    models: tuple[ModelAcross, ...]
    friedman: Friedman | None
    critical_difference: float | None
    groups: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]
    blank: str | None = None


def across_datasets(
    found: Sequence[RunFindings], subject: str, metric: Metric, region: float, draws: int
) -> Across:
    """Rank the models; a data set counts once, however many images and seeds it has."""
    means, ids = _means(found, metric)
    datasets, models, left_out = _complete(found, means, subject)
    blank = None
    if len(datasets) < 2:
        many = "one data set has" if datasets else "no data set has"
        blank = f"{many} a score: two or more are needed"
    elif len(models) < 2:
        blank = "fewer than two models have a score on every data set"
    if blank is not None:
        return Across(metric, tuple(datasets), (), None, None, (), tuple(left_out), blank)
    scores = np.array([[means[model, dataset] for model in models] for dataset in datasets])
    ranks, difference = mean_ranks(scores), critical_difference(len(models), len(datasets))
    own = {model: tuple(i for d in datasets for i in ids[model, d]) for model in models}
    judged = _judged(scores, models, subject, region, draws, own)
    rows = []
    for model, rank in zip(models, ranks, strict=True):
        pair, posterior = judged.get(model, (None, None))
        runs = own[model] if pair is None else own[subject] + own[model]
        rows.append(ModelAcross(model, float(rank), pair, posterior, runs))
    groups = [] if difference is None else groups_not_told_apart(ranks, difference)
    return Across(
        metric,
        tuple(datasets),
        tuple(sorted(rows, key=lambda row: row.rank)),
        friedman(scores),
        difference,
        tuple(tuple(models[place] for place in group) for group in groups),
        tuple(left_out),
    )


Judged = dict[str, tuple[PairAcross, SignedRankPosterior]]


def _judged(
    scores: Floats,
    models: list[str],
    subject: str,
    region: float,
    draws: int,
    ids: dict[str, tuple[str, ...]],
) -> Judged:
    if subject not in models:
        return {}
    others = [model for model in models if model != subject]
    of_subject = scores[:, models.index(subject)]
    gaps = [of_subject - scores[:, models.index(model)] for model in others]
    return {
        model: (
            pair,
            bayesian_signed_rank(
                gap, generator([*ids[subject], *ids[model]]), region=region, draws=draws
            ),
        )
        for model, gap, pair in zip(others, gaps, wilcoxon_holm(gaps), strict=True)
    }


def _means(
    found: Sequence[RunFindings], metric: Metric
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], list[str]]]:
    """Mean score over seeds by model and data set, and the runs it stands on."""
    means, ids = {}, {}
    for cell, runs in by_cell(found).items():
        scores = [score for run in runs.values() if (score := run.score(metric)) is not None]
        if scores:
            means[cell] = statistics.fmean(scores)
            ids[cell] = [run.run_id for run in runs.values()]
    return means, ids


def _complete(
    found: Sequence[RunFindings], means: dict[tuple[str, str], float], subject: str
) -> tuple[list[str], list[str], list[str]]:
    """Data sets that the subject has (or, without one, any model), and models that have them all;
    with sentences on the others."""
    models = list(dict.fromkeys(run.model for run in found))
    every = list(dict.fromkeys(run.dataset for run in found))
    must = [subject] if subject in models else models
    datasets = [d for d in every if any((model, d) in means for model in must)]
    whole = [model for model in models if all((model, d) in means for d in datasets)]
    lacking = f"{subject} has no score there" if subject in models else "it has no score"
    left_out = [
        f"{dataset} is left out: {lacking}." for dataset in every if dataset not in datasets
    ]
    left_out += [
        f"{model} is left out: it lacks a score on "
        f"{', '.join(d for d in datasets if (model, d) not in means)}."
        for model in models
        if model not in whole
    ]
    return datasets, whole, left_out
