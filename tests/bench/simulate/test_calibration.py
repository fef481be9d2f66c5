"""The world that is like BreastMNIST is like the committed runs on BreastMNIST."""

from __future__ import annotations

import numpy as np
import pytest

from bench.records.store import Store
from bench.report.collect import collect, training_of
from bench.simulate.calibration import Observed, observe, of_training
from bench.simulate.file import SIMULATIONS, SimulationFile
from bench.specs import RunSpec
from bench.statistics.decisions import Floats, Ints, right_by_image
from bench.suite import load_suite
from bench.toml_file import ROOT, read_toml


def committed() -> tuple[Observed, int]:
    store = Store(ROOT / "results")
    right: dict[str, list[Floats]] = {}
    labels: Ints = np.zeros(0, dtype=np.int64)
    for record in collect(load_suite("breast"), store.readable()[0]).records:
        assert isinstance(record.spec, RunSpec)
        assert training_of(record).data.task == "binary-class"
        stored = store.load_predictions(record.id)
        labels = stored["test_labels"].astype(np.int64)
        logits = stored["test_logits"].astype(np.float64)
        second = 1 / (1 + np.exp(logits[:, :1] - logits[:, 1:]))
        decided = right_by_image(np.hstack([1 - second, second]), labels, "binary-class")
        right.setdefault(record.spec.model.name, []).append(decided)
    return observe(right, labels), len(labels)


def test_the_breast_world_has_the_middle_of_the_committed_runs() -> None:
    observed, images = committed()
    file = read_toml(SIMULATIONS, SimulationFile)
    world = file.world["breast"]
    assert images == 156
    middles = np.median(list(observed.class_accuracy.values()), axis=0)
    assert world.class_accuracy == pytest.approx(middles.tolist(), abs=0.02)
    assert world.between_seeds == pytest.approx(
        float(np.median(list(observed.between_seeds.values()))), abs=0.01
    )
    assert world.between_models == pytest.approx(
        float(np.median(list(observed.between_models.values()))), abs=0.01
    )
    assert world.seed_sd == pytest.approx(of_training(observed, images), abs=0.005)


def test_what_is_observed_in_a_small_table() -> None:
    labels = np.array([0, 0, 1, 1])
    a = [np.array([1.0, 0, 1, 1]), np.array([1.0, 1, 1, 1])]
    b = [np.array([0.0, 0, 1, 1]), np.array([0.0, 0, 0, 1])]
    found = observe({"a": a, "b": b}, labels)
    assert found.class_accuracy == {"a": [0.75, 1.0], "b": [0.0, 0.75]}
    assert found.between_seeds == {"a": 0.25, "b": 0.25}
    assert found.between_models == {("a", "b"): (1 + 2 + 2 + 3) / 16}
    assert found.seed_sd["a"] == pytest.approx(0.25 / np.sqrt(2))
    assert of_training(found, 4) == pytest.approx(0.0)  # 1/32 seen, 1/32 by chance
    assert of_training(found, 400) == pytest.approx(np.sqrt(1 / 32 - 1 / 3200))
