"""Figures from the cache are those that would be drawn now, whichever record was replaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.records.store import Store
from bench.report.cache import without_cache
from bench.report.figures import draw, roc
from bench.report.figures.draw import plan_figures, write_figures
from bench.report.figures.saving import FORMATS
from bench.suite import Suite, load_suite
from tests._helpers.records import measure
from tests._helpers.runs_of import keep_run

MODELS = ("medspectralnet", "small")


@pytest.fixture
def suite(suite_file: Path) -> Suite:
    return load_suite(str(suite_file))


@pytest.fixture
def store(tmp_path: Path, suite: Suite) -> Store:
    kept = Store(tmp_path / "results")
    for model in MODELS:
        for seed in (0, 1):
            keep_run(kept, suite, model, "phantom-joint", seed, images=20)
        measure(kept, suite, model)
    return kept


@pytest.fixture(autouse=True)
def _few_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of each kind of file: which do not matter here, and PNG and PDF take long."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(draw, "FORMATS", {"svg": FORMATS["svg"]})
    monkeypatch.setattr(roc, "_MOST", 1)  # each model in a figure of its own
    monkeypatch.setattr(draw, "ENDINGS", ("svg", "csv"))


def written(suite: Suite, store: Store, folder: Path) -> dict[str, bytes]:
    paths = write_figures(plan_figures(suite, store.all(), store), folder)
    return {path.name: path.read_bytes() for path in paths}


def test_what_was_drawn_is_not_drawn_again(
    suite: Suite, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(suite, store, tmp_path / "first")
    assert {name.partition(".")[2] for name in first} == {"svg", "csv", "md"}
    monkeypatch.setattr(draw, "_drawn", None)
    assert written(suite, store, tmp_path / "second") == first


@pytest.mark.parametrize("model", MODELS)
def test_a_replaced_record_changes_every_figure_that_shows_it(
    suite: Suite, store: Store, tmp_path: Path, model: str
) -> None:
    """The subject's curve lies grey behind the other models', which its records must change."""
    first = written(suite, store, tmp_path / "out")
    keep_run(store, suite, model, "phantom-joint", 1, images=20, skill=0.1)
    measure(store, suite, model, speed=(50.0, 45.0, 55.0))
    now = written(suite, store, tmp_path / "out")
    with without_cache():
        assert written(suite, store, tmp_path / "anew") == now
    assert sum(now[name] != first[name] for name in now if name.endswith(".svg")) >= 4


def test_changed_predictions_are_drawn_even_where_the_record_does_not_tell(
    suite: Suite, store: Store, tmp_path: Path
) -> None:
    first = written(suite, store, tmp_path / "out")
    record = next(r for r in store.all() if r.spec.label.startswith("medspectralnet · "))
    arrays = store.load_predictions(record.id)
    turned = np.negative(arrays["test_logits"], dtype=np.float16)
    store.save_predictions(record.id, arrays | {"test_logits": turned})
    now = written(suite, store, tmp_path / "out")
    assert now["roc-phantom-joint-1-of-2.svg"] != first["roc-phantom-joint-1-of-2.svg"]
    assert now["learning-curves-phantom-joint.csv"] == first["learning-curves-phantom-joint.csv"]


def test_a_curve_names_its_records_once(suite: Suite, store: Store, tmp_path: Path) -> None:
    files = written(suite, store, tmp_path / "out")
    text = "".join(files[f"roc-phantom-joint-{part}-of-2.csv"].decode() for part in (1, 2))
    ids = [record.id for record in store.all() if record.training]
    assert [text.count(one) for one in ids] == [1] * len(ids)
