"""The world that is like BreastMNIST is like the committed runs on BreastMNIST."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from bench.records.store import Store
from bench.report.collect import collect
from bench.simulate.calibration import correlation, observe, of_training
from bench.simulate.file import SIMULATIONS, SimulationFile
from bench.specs import RunSpec
from bench.statistics.decisions import Floats, Ints
from bench.statistics.delong import auc_parts
from bench.suite import load_suite
from bench.toml_file import ROOT, read_toml


def committed() -> tuple[dict[str, list[Floats]], Ints]:
    """Each model's scores (logit of the second class) of each seed, and the labels."""
    store = Store(ROOT / "results")
    scores: dict[str, list[Floats]] = {}
    labels: Ints = np.zeros(0, dtype=np.int64)
    for record in collect(load_suite("breast"), store.readable()[0]).records:
        assert isinstance(record.spec, RunSpec)
        stored = store.load_predictions(record.id)
        labels = stored["test_labels"].astype(np.int64)
        logits = stored["test_logits"].astype(np.float64)
        scores.setdefault(record.spec.model.name, []).append(logits[:, 1] - logits[:, 0])
    return scores, labels


def test_the_breast_worlds_have_the_middle_of_the_committed_runs() -> None:
    scores, labels = committed()
    assert {len(runs) for runs in scores.values()} == {3}
    right = {
        name: [((run > 0) == (labels == 1)).astype(np.float64) for run in runs]
        for name, runs in scores.items()
    }
    observed = observe(right, labels)
    file = read_toml(SIMULATIONS, SimulationFile)
    world = file.world["breast"]
    shares = np.bincount(labels) / len(labels)
    assert world.class_shares == pytest.approx(shares.tolist(), abs=0.005)
    middles = np.median(list(observed.class_accuracy.values()), axis=0)
    assert world.class_accuracy == pytest.approx(middles.tolist(), abs=0.005)
    for told, found in (
        (world.between_seeds, observed.between_seeds),
        (world.between_models, observed.between_models),
    ):
        assert told == pytest.approx(float(np.median(list(found.values()))), abs=0.005)
    assert world.seed_sd == pytest.approx(of_training(observed, len(labels)), abs=0.003)
    seeds = [correlation(list(combinations(runs, 2)), labels) for runs in scores.values()]
    models = [
        correlation([(a, b) for a in scores[one] for b in scores[other]], labels)
        for one, other in combinations(scores, 2)
    ]
    assert file.scores["breast"].between_seeds == pytest.approx(np.median(seeds), abs=0.01)
    assert file.scores["breast"].between_models == pytest.approx(np.median(models), abs=0.01)
    aucs = [
        np.mean([auc_parts(labels == 1, run).value or 0.0 for run in runs])
        for runs in scores.values()
    ]
    assert file.scores["breast"].auc == pytest.approx(float(np.median(aucs)), abs=0.01)


def test_what_is_observed_in_a_small_table() -> None:
    labels = np.array([0, 0, 1, 1])
    a = [np.array([1.0, 0, 1, 1]), np.array([1.0, 1, 1, 1])]
    b = [np.array([0.0, 0, 1, 1]), np.array([0.0, 0, 0, 1])]
    found = observe({"a": a, "b": b}, labels)
    assert found.class_accuracy == {"a": [0.75, 1.0], "b": [0.0, 0.75]}
    assert found.between_seeds == {"a": 0.25, "b": 0.25}
    assert found.between_models == {("a", "b"): (1 + 2 + 2 + 3) / 16}
    assert found.seed_sd["a"] == pytest.approx(0.25 / np.sqrt(2))
    assert of_training(found, 4) == pytest.approx(0.0, abs=1e-6)  # 1/32 seen, 1/32 by chance
    assert of_training(found, 400) == pytest.approx(np.sqrt(1 / 32 - 1 / 3200))
