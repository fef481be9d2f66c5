"""Which models of a column may be called the best: the highest, and those not told apart from it.

A single best in bold says more than a handful of seeds can show. Over seeds the best mean is held
against every other model by the paired t test, with Holm's correction over these comparisons; of
timings, two whose intervals overlap beyond what two copies of one model differ by are not told
apart.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from bench.records.schema import CostResult
from bench.statistics.holm import holm
from bench.statistics.power import ALPHA
from bench.statistics.verdict import Verdict, verdict_over_seeds


@dataclass(frozen=True)
class Best:
    """The models to be set in bold.

    Attributes:
        models: the best, and each not distinguishable from it.
        untested: models that could not be held against the best, and so are not among them.
        steady: among them, though untested: the same difference in every seed, which shows no
            spread to test it by, and so excludes nothing.
        blank: why there is none.
    """

    models: frozenset[str] = frozenset()
    untested: tuple[str, ...] = ()
    steady: tuple[str, ...] = ()
    blank: str | None = None


def best_over_seeds(scores: Mapping[str, Mapping[int, float]]) -> Best:
    """The best mean over seeds and every model whose difference to it is not excluded.

    Args:
        scores: model → seed → score on the same test images, higher is better; a model without
            any score is passed over.
    """
    scored = {model: dict(found) for model, found in scores.items() if found}
    if len(scored) < 2:
        return Best(blank="fewer than two models have it")
    means = {model: statistics.fmean(found.values()) for model, found in scored.items()}
    best = max(means, key=means.__getitem__)
    if len(scored[best]) < 2:
        return Best(blank="one seed of the best shows no spread, so nothing can be tested")
    others = {
        model: verdict_over_seeds(scored[best], scored[model], advise=False)
        for model in scored
        if model != best
    }
    p_values = holm([_p(verdict) for verdict in others.values()])
    if all(p is None for p in p_values):
        return Best(blank="no model could be tested against the best")
    corrected = dict(zip(others, p_values, strict=True))
    alike = [model for model, p in corrected.items() if p is not None and p > ALPHA]
    steady = tuple(m for m, one in others.items() if corrected[m] is None and one.pairs > 1)
    untested = tuple(m for m, p in corrected.items() if p is None and m not in steady)
    return Best(frozenset([best, *alike, *steady]), untested, steady)


def _p(verdict: Verdict) -> float | None:
    """Of no difference; 1 where every seed scores the same, though t has no spread to use then."""
    return 1.0 if verdict.pairs > 1 and verdict.difference.value == 0 else verdict.p


def best_by_throughput(costs: Mapping[str, CostResult]) -> Best:
    """The fastest, and each whose interval reaches the fastest one's beyond the noise floor.

    Args:
        costs: model → its measurement, all on one machine.
    """
    if len(costs) < 2:
        return Best(blank="fewer than two models were timed")
    if any(cost.noise_floor is None for cost in costs.values()):
        return Best(blank="no noise floor was measured")
    fastest = max(costs, key=lambda model: costs[model].throughput_images_per_s_median)
    return Best(frozenset(m for m in costs if m == fastest or _reaches(costs[m], costs[fastest])))


def _reaches(cost: CostResult, fastest: CostResult) -> bool:
    floors = [one.noise_floor.throughput for one in (cost, fastest) if one.noise_floor is not None]
    upper, lower = cost.throughput_images_per_s_high, fastest.throughput_images_per_s_low
    return upper * (1 + max(floors)) >= lower


SEEDS_RULE = (
    "**Bold**: the best mean of a column and every model whose difference to it is not excluded "
    "(t test over the seeds that both have, Holm's correction over the comparisons with the best, "
    "p > 0.05). The best is chosen by the same scores, so this excludes a little too readily; what "
    "is decided stands in the verdicts."
)
SPEED_RULE = (
    "**Bold** images/s: the fastest and every model whose 95 % interval, raised by the noise "
    "floor, reaches the fastest one's."
)


def told(rule: str, found: Mapping[str, Best]) -> list[str]:
    """The rule of the bold cells, and what it leaves out in which column.

    Args:
        found: column's head → its best.
    """
    if not found:
        return []
    lines = [rule] if any(best.models for best in found.values()) else []
    for reason in dict.fromkeys(best.blank for best in found.values() if best.blank):
        columns = [head for head, best in found.items() if best.blank == reason]
        lines.append(f"Nothing is bold in {', '.join(columns)}: {reason}.")
    lines += _named(found, "untested", "Not held against the best of", "one seed to compare by")
    return lines + _named(
        found, "steady", "Bold without a test in", "the same difference in every seed, no spread"
    )


def _named(found: Mapping[str, Best], which: str, what: str, why: str) -> list[str]:
    """A line for each set of models with the columns it holds for."""
    heads: dict[tuple[str, ...], list[str]] = {}
    for head, best in found.items():
        if models := getattr(best, which):
            heads.setdefault(models, []).append(head)
    return [
        f"{what} {', '.join(columns)}: {', '.join(models)} ({why})."
        for models, columns in heads.items()
    ]
