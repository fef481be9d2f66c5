"""The page of verdicts and its CSV files, from a store of kept runs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from bench.records.schema import Attempt, Record
from bench.records.store import Store
from bench.report.accuracy import STALE
from bench.report.tables import write_tables
from bench.specs import RunSpec
from bench.suite import Suite, load_suite
from tests._helpers.records import train

SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 64
threads = 2

[[grid]]
models = ["medspectralnet", "medspectralnet_local_stream", "resnet18"]
datasets = ["breastmnist", "pneumoniamnist"]
seeds = [0, 1, 2]

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""
RIGHT = {"medspectralnet": 85, "medspectralnet_local_stream": 70, "resnet18": 84}


def made(folder: Path, text: str = SUITE) -> Suite:
    path = folder / "made.toml"
    path.write_text(text)
    return load_suite(str(path))


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return made(tmp_path)


@pytest.fixture
def store(tmp_path: Path, suite: Suite) -> Store:
    store = Store(tmp_path / "results")
    for cell in suite.cells:
        name, dataset = cell.model.name, cell.dataset.name
        train(store, suite, name, dataset, cell.seed, RIGHT[name] + cell.seed * (len(name) % 5))
    return store


def drawn(suite: Suite, store: Store, folder: str = "drawn") -> Path:
    where = store.root.parent / folder
    write_tables(suite, store.all(), where, store=store)
    return where


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_that_stands_alone_says_what_a_difference_is(suite: Suite, store: Store) -> None:
    where = drawn(suite, store)
    for name in ("verdicts-acc.tex", "verdicts-auc.html"):
        told = " ".join((where / name).read_text(encoding="utf-8").split())
        assert "minus the other model, the mean over paired seeds" in told


def test_every_comparison_stands_on_the_page_and_names_its_runs(suite: Suite, store: Store) -> None:
    where = drawn(suite, store)
    page = (where / "verdicts.md").read_text(encoding="utf-8")
    for heading in (
        "# Verdicts: suite `made`",
        "## `medspectralnet` against each other model",
        "| breastmnist    | resnet18 ",
        "### AUC",
        "## Over data sets",
        "### ACC over 2 data sets",
        "## Thresholds and calibration",
        "## Runs started and shown",
    ):
        assert heading in page
    assert "can give no p below 0.25 with 3 paired seeds." in page
    assert "equivalence cannot be shown here" in page
    assert "positive is “b” on breastmnist, “b” on pneumoniamnist" in page
    found = rows(where / "verdicts.csv")
    assert len(found) == 2 * 2 * 2
    known = {record.id for record in store.all()}
    for name in ("verdicts.csv", "verdicts-across.csv", "verdicts-runs.csv"):
        for row in rows(where / name):
            assert row["runs"]
            assert set(row["runs"].split()) <= known
    of_runs = rows(where / "verdicts-runs.csv")
    assert [row["runs"] for row in of_runs] == list(dict.fromkeys(row["runs"] for row in of_runs))
    assert len(of_runs) == 18
    (local,) = [
        row
        for row in found
        if (row["model"], row["data set"], row["metric"])
        == ("medspectralnet_local_stream", "breastmnist", "ACC")
    ]
    assert local["verdict"] == "better"
    assert float(local["low over seeds"]) < float(local["difference (points)"])
    assert len(local["runs"].split()) == 6


def test_the_same_records_give_the_same_bytes_in_any_order(suite: Suite, store: Store) -> None:
    first = drawn(suite, store)
    again = store.root.parent / "again"
    write_tables(suite, store.all()[::-1], again, store=store)
    names = sorted(path.name for path in first.glob("verdicts*"))
    assert {"verdicts.md", "verdicts.csv", "verdicts-across.csv", "verdicts-runs.csv"} < set(names)
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes()


def test_without_predictions_there_is_no_page(suite: Suite, store: Store, tmp_path: Path) -> None:
    write_tables(suite, store.all(), tmp_path / "bare")
    assert not list((tmp_path / "bare").glob("verdicts*"))


def test_nothing_run_yet_is_said(suite: Suite, tmp_path: Path) -> None:
    empty = Store(tmp_path / "empty")
    write_tables(suite, [], tmp_path / "none", store=empty)
    page = (tmp_path / "none" / "verdicts.md").read_text(encoding="utf-8")
    assert "no finished run" in page
    assert page.splitlines()[-1].split("|")[2:-1][0].strip() == "18"
    assert not list((tmp_path / "none").glob("verdicts*.csv"))


def test_a_suite_without_the_usual_subject_says_so(tmp_path: Path, store: Store) -> None:
    other = made(tmp_path, SUITE.replace('"medspectralnet", ', ""))
    page = (drawn(other, store) / "verdicts.md").read_text(encoding="utf-8")
    assert "names no other subject" in page
    assert "P(equivalent)" not in page
    assert "mean rank" in page
    assert not (store.root.parent / "drawn" / "verdicts.csv").exists()


def test_a_named_subject_and_region_are_used(tmp_path: Path, store: Store) -> None:
    told = '[statistics]\nsubject = "resnet18"\nregion = 0.2\n[cost]'
    other = made(tmp_path, SUITE.replace("[cost]", told))
    where = drawn(other, store)
    found = rows(where / "verdicts.csv")
    assert {row["subject"] for row in found} == {"resnet18"}
    assert {row["region (points)"] for row in found} == {"20"}
    close = [r for r in found if r["model"] == "medspectralnet" and r["metric"] == "ACC"]
    assert {row["verdict"] for row in close} == {"equivalent"}


def failed(record: Record, tries: int) -> Record:
    attempt = Attempt(
        status="failed",
        reason="a fault",
        started_at=record.provenance.started_at,
        wall_s=1.0,
    )
    changes = {"status": "failed", "reason": "a fault", "training": None}
    return record.model_copy(update=changes | {"attempts": [attempt] * tries})


def test_failed_runs_are_counted_and_their_comparison_keeps_the_other_seeds(
    suite: Suite, store: Store
) -> None:
    gone = train(store, suite, "resnet18", "breastmnist", 1, 80)
    store.save(failed(gone, 2))
    where = drawn(suite, store)
    page = (where / "verdicts.md").read_text(encoding="utf-8")
    counted = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
        for line in page.splitlines()
        if line.startswith("| ") and len(cells := line.split("|")) == 9
    }
    assert counted["resnet18"] == ["6", "5", "1", "0", "2", "5"]
    assert counted["all"] == ["18", "17", "1", "0", "2", "17"]
    (row,) = [
        row
        for row in rows(where / "verdicts.csv")
        if (row["model"], row["data set"], row["metric"]) == ("resnet18", "breastmnist", "ACC")
    ]
    assert row["paired seeds"] == "2"
    assert gone.id not in row["runs"]


def test_records_of_another_protocol_change_nothing(
    tmp_path: Path, suite: Suite, store: Store
) -> None:
    before = {p.name: p.read_bytes() for p in drawn(suite, store).glob("verdicts*")}
    folder = tmp_path / "other"
    folder.mkdir()
    other = made(folder, SUITE.replace('"small"', '"medmnist"'))
    train(store, other, "medspectralnet", "breastmnist", 0, 20)
    after = {p.name: p.read_bytes() for p in drawn(suite, store, "after").glob("verdicts*")}
    assert before == after


def test_devices_are_never_mixed(suite: Suite, store: Store) -> None:
    for record in store.all():
        spec = record.spec
        assert isinstance(spec, RunSpec)
        if spec.data.name != "breastmnist":
            continue
        moved = spec.model_copy(update={"device": "cuda"})
        store.save_predictions(moved.id, store.load_predictions(record.id))
        store.save(record.model_copy(update={"id": moved.id, "spec": moved}))
    where = drawn(suite, store)
    page = (where / "verdicts.md").read_text(encoding="utf-8")
    assert "## Over data sets (cpu, float32)" in page
    assert "## Over data sets (cuda, float32)\n\nNo ranks: one data set has a score" in page
    own = {
        record.id: record.spec.device for record in store.all() if isinstance(record.spec, RunSpec)
    }
    devices = {
        row["device"]: {own[run] for run in row["runs"].split()}
        for row in rows(where / "verdicts.csv")
    }
    assert devices == {"cpu, float32": {"cpu"}, "cuda, float32": {"cuda"}}


def test_stale_runs_are_marked_where_they_count(suite: Suite, store: Store) -> None:
    old = train(store, suite, "resnet18", "breastmnist", 1, 84)
    provenance = old.provenance.model_copy(update={"source_digest": "other"})
    store.save(old.model_copy(update={"provenance": provenance}))
    where = drawn(suite, store)
    page = (where / "verdicts.md").read_text(encoding="utf-8")
    assert f"[1] {STALE.removesuffix('.')}: resnet18 · breastmnist · seed 1." in page
    stale = [row for row in rows(where / "verdicts.csv") if row["stale"] == "yes"]
    assert {(row["model"], row["data set"]) for row in stale} == {("resnet18", "breastmnist")}
    assert sum(row["stale"] == "yes" for row in rows(where / "verdicts-runs.csv")) == 1


def test_one_seed_is_undecided_with_its_reason(tmp_path: Path, store: Store) -> None:
    single = made(tmp_path, SUITE.replace("seeds = [0, 1, 2]", "seeds = [0]"))
    where = drawn(single, store)
    page = (where / "verdicts.md").read_text(encoding="utf-8")
    assert "One pair of trainings shows no spread over seeds." in page
    assert {row["verdict"] for row in rows(where / "verdicts.csv")} == {"undecided"}
    assert all(row["ACC (%) low"] != "–" for row in rows(where / "verdicts-runs.csv"))


def test_predictions_of_one_class_alone_leave_blanks_with_reasons(
    suite: Suite, store: Store
) -> None:
    for record in store.all():
        arrays = store.load_predictions(record.id)
        keep = arrays["test_labels"] == 1
        arrays |= {name: arrays[name][keep] for name in ("test_logits", "test_labels")}
        store.save_predictions(record.id, arrays)
    where = drawn(suite, store)
    page = (where / "verdicts.md").read_text(encoding="utf-8")
    assert "class 1: no image outside it" in page
    assert "No negative image on test." in page
    found = rows(where / "verdicts.csv")
    assert {row["verdict"] for row in found if row["metric"] == "AUC"} == {"–"}
    assert {row["because"] for row in found if row["metric"] == "AUC"} == {
        "class 1: no image outside it"
    }
    assert "–" not in {row["difference (points)"] for row in found if row["metric"] == "ACC"}
    assert np.isfinite([float(r["ACC (%)"]) for r in rows(where / "verdicts-runs.csv")]).all()
