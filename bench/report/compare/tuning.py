"""What validation said of both models where they were tuned alike; never a test score."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from bench.search.record import Trial
from bench.specs import deciding
from bench.staleness import Staleness


@dataclass(frozen=True)
class Tuned:
    """One setting that a search tried with both models on one data set.

    Attributes:
        first, second: validation AUC by seed, of the classes present, at the chosen epoch.
    """

    search: str
    dataset: str
    image_size: int
    tried: str
    first: dict[int, float]
    second: dict[int, float]
    stale: bool


def tuned_alike(trials: Iterable[Trial], names: tuple[str, str], known: Staleness) -> list[Tuned]:
    """Every setting tried with both, in order of search, data set and setting."""
    by_setting: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.spec.model.name in names and trial.result is not None:
            by_setting.setdefault(_setting(trial), []).append(trial)
    found = []
    for group in by_setting.values():
        first, second = (_by_seed(group, name) for name in names)
        if first and second:
            spec, optimizer = group[0].spec, group[0].spec.protocol.optimizer
            tried = f"lr {optimizer.lr:g}, wd {optimizer.weight_decay:g}"
            stale = any(known.stale(t.spec, t.provenance, trial=True) for t in group)
            found.append(
                Tuned(group[0].search, spec.data.name, spec.image_size, tried, first, second, stale)
            )
    return sorted(found, key=lambda one: (one.search, one.dataset, one.image_size, one.tried))


def tries(trials: Iterable[Trial], name: str) -> int:
    """How many settings were tried with a model, seeds taken together."""
    return len({_setting(t) for t in trials if t.spec.model.name == name and t.result is not None})


def _setting(trial: Trial) -> str:
    spec = trial.spec
    known = deciding(spec, without={"model", "seed", "protocol"})
    return json.dumps([trial.search, known, spec.protocol.deciding()], sort_keys=True)


def _by_seed(group: list[Trial], name: str) -> dict[int, float]:
    return {
        trial.spec.seed: trial.result.val.auc_present
        for trial in group
        if trial.spec.model.name == name
        and trial.result is not None
        and trial.result.val.auc_present is not None
    }
