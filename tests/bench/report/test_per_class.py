"""Sensitivity, precision and AUC of each class, from predictions whose every count is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import precision_score

from bench.records.store import Store
from bench.report.collect import collect
from bench.report.context import Context
from bench.report.per_class import per_class_table, precision_by_class
from bench.report.table.model import Table
from bench.suite import Suite
from tests._helpers.records import train
from tests._helpers.tables import texts
from tests.bench.report.verdicts.test_page import SUITE, made


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return made(tmp_path, SUITE)


def table(suite: Suite, store: Store) -> Table:
    return per_class_table(Context(collect(suite, store.all())), store)


def test_counts_become_shares_by_class(suite: Suite, tmp_path: Path) -> None:
    """70 of 100 right: of either class 35 of 50 are found, and of 50 called so 35 are."""
    store = Store(tmp_path / "results")
    train(store, suite, "resnet18", "breastmnist", 0, 70)
    train(store, suite, "resnet18", "breastmnist", 1, 70)
    found = texts(table(suite, store).rows)
    assert [(row["class"], row["test images"]) for row in found] == [("a", "50"), ("b", "50")]
    for row in found:
        assert row["sensitivity (%)"] == row["precision (%)"] == "70.0 ± 0.0"


def test_precision_is_scikit_learns(suite: Suite, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    record = train(store, suite, "resnet18", "breastmnist", 0, 70)
    assert record.training is not None
    rng, names = np.random.default_rng(0), ["a", "b", "c", "d"]
    for task, classes in (
        ("multi-class", 4),
        ("binary-class", 2),
        ("multi-label, binary-class", 3),
    ):
        logits = rng.normal(size=(60, classes)).astype(np.float16)
        several = task.startswith("multi-label")
        labels = rng.integers(0, 2 if several else classes, (60, classes) if several else 60)
        store.save_predictions(record.id, {"test_logits": logits, "test_labels": labels})
        data = record.training.data.model_copy(
            update={"task": task, "class_names": names[:classes]}
        )
        result = record.training.model_copy(update={"data": data})
        called = logits > 0 if several else logits.argmax(axis=1)
        expected = precision_score(labels, called, average=None)
        found = precision_by_class(record.model_copy(update={"training": result}), store)
        np.testing.assert_allclose(np.array(found, float), expected)


def test_a_class_that_is_never_called_has_no_precision(suite: Suite, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    record = train(store, suite, "resnet18", "breastmnist", 0, 70)
    arrays = store.load_predictions(record.id)
    arrays["test_logits"] = np.tile(np.array([9, 0], np.float16), (100, 1))
    store.save_predictions(record.id, arrays)
    drawn = table(suite, store)
    first, second = texts(drawn.rows)
    assert first["precision (%)"] == "50.0"
    assert second["precision (%)"] == "– [1]"
    assert drawn.notes == ("No test image is called 'b' with seed 0.",)


def test_seeds_that_never_call_a_class_are_named_together(suite: Suite, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    for seed in (0, 1):
        record = train(store, suite, "resnet18", "breastmnist", seed, 70)
        arrays = store.load_predictions(record.id)
        arrays["test_logits"] = np.tile(np.array([9, 0], np.float16), (100, 1))
        store.save_predictions(record.id, arrays)
    assert table(suite, store).notes == ("No test image is called 'b' with seeds 0, 1.",)
