"""One pair's verdicts, each corrected over the family of comparisons that its suite stands for.

A suite declares its comparisons: its subject against every other model. A pair with the subject
gets the word that the suite's page of verdicts gives it. Of a pair without the subject nothing was
declared, so that any of the suite's pairs could have been picked: they are all one family.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bench.report.collect import Collected, Variant, training_of
from bench.report.verdicts.comparisons import Metric
from bench.specs import RunSpec
from bench.statistics.ranks import PairAcross, wilcoxon_holm
from bench.statistics.verdict import Verdict, over_family, verdict_over_seeds
from bench.suite_file import NO_CONTROL

Scores = Mapping[tuple[str, str], dict[int, float]]
"""By model and data set, then by seed; seeds without a score are left out."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Family:
    """Which comparisons the verdicts are corrected over, for one metric.

    Attributes:
        size: how many comparisons it holds; ``tested`` of them could be tested.
        verdicts: of the pair asked for, first against second, by data set.
        across: the pair over data sets; None where fewer than two have both.
    """

    what: str
    size: int
    tested: int
    verdicts: dict[str, Verdict]
    across: PairAcross | None


def stored_scores(collected: Collected, variant: Variant, metric: Metric) -> Scores:
    """Test scores of the suite's finished runs without an input control."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for (model, dataset, control, own), records in collected.done.items():
        if control == NO_CONTROL and own == variant:
            for record in records:
                assert isinstance(record.spec, RunSpec)
                test = training_of(record).test
                value = test.acc if metric == "ACC" else test.auc
                if value is not None:
                    found.setdefault((model, dataset), {})[record.spec.seed] = value
    return found


def judge_pair(collected: Collected, variant: Variant, pair: Pair, metric: Metric) -> Family:
    """The pair's words after Holm over its family; differences are first − second."""
    suite = collected.suite
    scores = stored_scores(collected, variant, metric)
    models = [model.name for model in suite.models]
    what, pairs = _family(models, suite.settings.subject, pair)
    members = [(one, dataset.name) for dataset in suite.datasets for one in pairs]
    region = suite.settings.statistics.region
    bare = [
        verdict_over_seeds(
            scores.get((first, dataset), {}),
            scores.get((second, dataset), {}),
            region=region,
            advise=False,
        )
        for (first, second), dataset in members
    ]
    # Advice takes longest by far, and none is given where the spread is not known.
    judged = over_family(
        [
            verdict if one == pair else replace(verdict, spread=None)
            for (one, _), verdict in zip(members, bare, strict=True)
        ]
    )
    return Family(
        what=what,
        size=len(members),
        tested=sum(verdict.p is not None for verdict in judged),
        verdicts={
            dataset: verdict
            for (one, dataset), verdict in zip(members, judged, strict=True)
            if one == pair
        },
        across=_across(scores, pairs, pair),
    )


def _family(models: list[str], subject: str | None, pair: Pair) -> tuple[str, list[Pair]]:
    """The pairs, the one asked for as it was given."""
    if subject in pair:
        told = f"`{subject}`, the suite's subject, against every other model on every data set"
        others = [(subject, model) for model in models if model != subject]
    else:
        told = f"every two of its {len(models)} models, as neither of these is the suite's subject"
        others = list(itertools.combinations(models, 2))
    return told, [pair if set(other) == set(pair) else other for other in others]


def _across(scores: Scores, pairs: list[Pair], pair: Pair) -> PairAcross | None:
    """Wilcoxon's test over the data sets that both models have, after Holm over the family."""
    means = {cell: statistics.fmean(by_seed.values()) for cell, by_seed in scores.items()}
    shared = [d for model, d in means if model == pair[0] and (pair[1], d) in means]
    if len(shared) < 2:
        return None
    whole = [one for one in pairs if all((model, d) in means for model in one for d in shared)]
    gaps = [
        np.array([means[first, d] - means[second, d] for d in shared]) for first, second in whole
    ]
    return wilcoxon_holm(gaps)[whole.index(pair)]
