"""The whole analysis of a suite's finished runs, from arrays in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.report.verdicts.across import Across, across_datasets
from bench.report.verdicts.comparisons import METRICS, Comparison, compare
from bench.report.verdicts.runs import RunFindings, RunPredictions, look_at

__all__ = ["Analysis", "RunPredictions", "analyse", "judge"]


@dataclass(frozen=True)
class Analysis:
    """What may be said of one subject against the other models, and of each run.

    Attributes:
        subject: the model that the others are compared with.
        region: half the width of practical equivalence, as a share (0.005: half a point).
        runs: each run alone, in the given order.
        comparisons: subject against each other model on each data set, by ``ACC`` and by ``AUC``;
            empty where the subject has no run.
        across: over the data sets, one each for ``ACC`` and ``AUC``.
    """

    subject: str
    region: float
    runs: tuple[RunFindings, ...]
    comparisons: tuple[Comparison, ...]
    across: tuple[Across, ...]


def analyse(runs: Sequence[RunPredictions], *, subject: str, region: float, draws: int) -> Analysis:
    """Judge ``subject`` against every other model of ``runs``.

    Args:
        runs: finished runs of one protocol and one kind of device, each model × data set × seed
            once; models and data sets keep the order of their first run.
        region: half the width of practical equivalence, as a share, for accuracy and AUC alike.
        draws: of the Dirichlet weights.

    Raises:
        ValueError: a model × data set × seed is there twice, or a region or number of draws that
            cannot be used.
    """
    _check(runs, region, draws)
    return judge([look_at(run) for run in runs], subject=subject, region=region, draws=draws)


def judge(found: Sequence[RunFindings], *, subject: str, region: float, draws: int) -> Analysis:
    """The same from what each run alone was found to be. Raises as :func:`analyse` does."""
    _check(found, region, draws)
    comparisons = tuple(
        one for metric in METRICS for one in compare(found, subject, metric, region)
    )
    across = tuple(across_datasets(found, subject, metric, region, draws) for metric in METRICS)
    return Analysis(subject, region, tuple(found), comparisons, across)


def _check(runs: Sequence[RunPredictions | RunFindings], region: float, draws: int) -> None:
    keys = Counter((run.model, run.dataset, run.seed) for run in runs)
    for (model, dataset, seed), count in keys.items():
        if count > 1:
            raise ValueError(f"{model} × {dataset} × seed {seed} is given {count} times")
    if region < 0:
        raise ValueError(f"a region of equivalence is 0 or more wide, got {region:g}")
    if draws < 1:
        raise ValueError(f"draws are 1 or more, got {draws}")
