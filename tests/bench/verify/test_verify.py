"""What was published is recomputed: whole records hold, and every planted fault is named."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data import npz
from bench.records.store import Store
from bench.report.figures.draw import plan_figures, write_figures
from bench.report.tables import write_tables
from bench.suite import Suite, load_suite
from bench.toml_file import ROOT
from bench.verify.verify import Verified, verify
from tests._helpers.records import IMAGES, labels_of, train
from tests.bench.conftest import Command

SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 64
threads = 2
device = "cpu"

[[grid]]
models = ["medspectralnet", "resnet18"]
datasets = ["breastmnist"]
seeds = [0, 1]

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "made.toml"
    path.write_text(SUITE)
    return load_suite(str(path))


@pytest.fixture
def store(tmp_path: Path, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Four runs on a file of labels that is at hand, and the tables drawn from them."""
    data = tmp_path / "data" / "breastmnist.npz"
    data.parent.mkdir()
    arrays = {
        f"{split}_{kind}": np.zeros((count, 28, 28), np.uint8)
        if kind == "images"
        else labels_of(count)[:, None]
        for split, count in IMAGES.items()
        for kind in ("images", "labels")
    }
    np.savez(data, allow_pickle=False, **arrays)
    monkeypatch.setenv("MEDMNIST_ROOT", str(data.parent))
    store = Store(tmp_path / "results")
    for model in ("medspectralnet", "resnet18"):
        for seed in (0, 1):
            train(store, suite, model, "breastmnist", seed, 80 + seed, npz.checksum(data))
    write_tables(suite, store.all(), tmp_path / "reports" / "made", store=store)
    return store


def verified(store: Store, suite: Suite) -> Verified:
    return verify(store.root, [str(suite.path)], store.root.parent / "reports")


def told(store: Store, suite: Suite) -> list[str]:
    return [str(finding) for finding in verified(store, suite).findings]


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def first(store: Store) -> Path:
    return min(store.folder.glob("*.json"))


def test_whole_records_and_tables_hold(store: Store, suite: Suite) -> None:
    done = verified(store, suite)
    assert not done.findings
    assert not done.unlabelled
    assert done.counts["runs"] == 4
    assert any("4 runs asked for, 4 started (4 done; 0 failed" in line for line in done.lines)
    assert any("4 published, 0 not" in line for line in done.lines)


def test_a_score_edited_within_its_range_is_named(store: Store, suite: Suite) -> None:
    def change(record: dict[str, Any]) -> None:
        record["training"]["test"]["acc"] += 1e-15

    acc = json.loads(first(store).read_text())["training"]["test"]["acc"]
    edit(first(store), change)
    (found,) = [line for line in told(store, suite) if first(store).name in line]
    assert f"training.test.acc: was {acc + 1e-15!r}, is {acc!r}" in found


def flip(store: Store, *, cover_up: bool) -> Path:
    """Flip the label of test image 7; ``cover_up`` also writes the new checksum down."""
    record = first(store)
    arrays = store.load_predictions(record.stem)
    labels = arrays["test_labels"].copy()
    labels[7] = 1 - labels[7]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **(arrays | {"test_labels": labels}))
    record.with_suffix(".npz").write_bytes(buffer.getvalue())
    if cover_up:
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        edit(record, lambda found: found["training"].update(predictions_sha256=digest))
    return record


@pytest.mark.parametrize("cover_up", [False, True])
def test_a_flipped_label_is_named(store: Store, suite: Suite, cover_up: bool) -> None:
    record = flip(store, cover_up=cover_up)
    lines = told(store, suite)
    assert any(f"{record.stem}.npz: test_labels[7]: was 0, is 1" in line for line in lines)
    assert any("training.test.acc" in line for line in lines)
    assert any("is other bytes" in line for line in lines) is not cover_up


def test_labels_that_are_not_at_hand_are_said_and_not_held_against_a_run(
    store: Store, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(tmp_path / "data" / "breastmnist.npz", tmp_path / "elsewhere.npz")
    monkeypatch.setenv("HOME", str(tmp_path))
    done = verified(store, suite)
    assert not done.findings
    assert done.unlabelled == {"breastmnist is not at hand as an .npz file": 4}


def test_lost_predictions_are_named(store: Store, suite: Suite) -> None:
    first(store).with_suffix(".npz").unlink()
    lines = told(store, suite)
    assert any(f"{first(store).stem}.npz: predictions" in line for line in lines)
    assert not [line for line in lines if "Traceback" in line]


def test_predictions_of_another_form_are_named(store: Store, suite: Suite) -> None:
    record = first(store)
    store.save_predictions(record.stem, {"test_logits": np.zeros((3, 2))})
    lines = told(store, suite)
    assert any("val_labels: was nothing" in line for line in lines)
    assert any("was predictions that can be scored" in line for line in lines)


def test_a_deleted_record_moves_the_table_and_leaves_predictions_behind(
    store: Store, suite: Suite
) -> None:
    gone = first(store)
    gone.unlink()
    done = verified(store, suite)
    places = [finding.place for finding in done.findings]
    assert any("breastmnist seeds" in place for place in places)
    assert any("4 runs asked for, 3 started" in line for line in done.lines)
    assert any("3 published, 1 not" in line for line in done.lines)
    everything = [str(finding) for finding in verify(store.root).findings]
    assert any(f"{gone.stem}.npz: its record: was nothing" in line for line in everything)


@pytest.mark.parametrize("name", ["accuracy.md", "accuracy.csv"])
def test_an_edited_cell_is_named_with_its_row_and_column(
    store: Store, suite: Suite, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "reports" / "made" / name
    text = path.read_text()
    assert text.count("80.5 ± 0.7") == 2
    path.write_text(text.replace("80.5 ± 0.7", "90.5 ± 0.7", 1))
    (found,) = told(store, suite)
    assert f"made/{name}: line " in found
    was, now = ("**90.5 ± 0.7**", "**80.5 ± 0.7**") if name.endswith("md") else ("90.5", "80.5")
    assert f"medspectralnet, breastmnist ACC (%): was {was}" in found
    assert f"is {now}" in found


@pytest.mark.parametrize(
    ("name", "was"),
    [
        ("accuracy.tex", r"80.5 \ensuremath{\pm} 0.7"),
        ("accuracy.html", "80.5 ± 0.7"),
        ("macros.tex", "{80.5}"),
        ("references.bib", "he2016resnet"),
        ("licences.md", "CC BY 4.0"),
    ],
)
def test_an_edited_form_of_a_table_is_named(
    store: Store, suite: Suite, tmp_path: Path, name: str, was: str
) -> None:
    path = tmp_path / "reports" / "made" / name
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, "edited", 1))
    (found,) = told(store, suite)
    assert f"made/{name}: line " in found
    assert "edited" in found


def test_a_form_is_kept_of_every_table_or_of_none(
    store: Store, suite: Suite, tmp_path: Path
) -> None:
    folder = tmp_path / "reports" / "made"
    (folder / "accuracy.tex").unlink()
    (found,) = told(store, suite)
    assert "made/accuracy.tex: the file: was nothing, is drawn" in found
    for path in folder.glob("*.tex"):
        path.unlink()
    assert told(store, suite) == []
    (folder / "cost.html").write_text("old")
    assert any("made/cost.html" in line for line in told(store, suite))


@pytest.mark.parametrize("name", ["verdicts.md", "verdicts.csv"])
def test_an_edited_verdict_is_named(store: Store, suite: Suite, tmp_path: Path, name: str) -> None:
    path = tmp_path / "reports" / "made" / name
    text = path.read_text()
    row = next(line for line in text.splitlines() if "undecided" in line and "resnet18" in line)
    path.write_text(text.replace(row, row.replace("undecided", "better"), 1))
    (found,) = told(store, suite)
    assert f"made/{name}: line " in found
    assert "verdict: was better, is undecided" in found


def test_verdicts_that_are_gone_are_named(store: Store, suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "reports" / "made" / "verdicts-runs.csv").unlink()
    (found,) = told(store, suite)
    assert "made/verdicts-runs.csv: the file: was nothing, is drawn" in found


def test_an_epoch_that_was_better_than_the_selected_one_is_named(
    store: Store, suite: Suite
) -> None:
    def change(record: dict[str, Any]) -> None:
        record["training"]["epochs"][4]["val_auc"] = 0.999

    edit(first(store), change)
    (found,) = told(store, suite)
    assert f"{first(store).name}: training.selected_epoch: was 2, is 5" in found


def test_a_selected_epoch_whose_scores_are_not_the_curves_is_named(
    store: Store, suite: Suite
) -> None:
    def change(record: dict[str, Any]) -> None:
        record["training"]["selected_epoch"] = 3
        record["training"]["epochs"][2]["val_auc"] = 0.999

    edit(first(store), change)
    (found,) = told(store, suite)
    assert "training.epochs.2.val_auc: was 0.999" in found


def test_a_cut_curve_and_a_damaged_record_are_named(store: Store, suite: Suite) -> None:
    cut, broken = sorted(store.folder.glob("*.json"))[:2]
    edit(cut, lambda record: record["training"]["epochs"].pop())
    broken.write_text("{")
    lines = told(store, suite)
    assert any(f"{cut.name}: training.epochs" in line for line in lines)
    assert any(f"{broken.name}: record" in line for line in lines)


def test_runs_that_no_table_shows_are_counted(store: Store, suite: Suite) -> None:
    other = suite.path.with_name("wider.toml")
    other.write_text(SUITE.replace("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    train(store, load_suite(str(other)), "resnet18", "breastmnist", 2, 60, "y")
    suite_only = verified(store, suite)
    assert not suite_only.findings
    lines = verify(store.root, [], store.root.parent / "none").lines
    assert any("5 trainings recorded" in line and "5 in no table" in line for line in lines)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The committed records and reports, to plant faults in."""
    shutil.copytree(ROOT / "results", tmp_path / "results")
    shutil.copytree(ROOT / "reports", tmp_path / "reports")
    return tmp_path


def test_all_that_is_committed_holds(bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_RESULTS")
    said = bench("verify")
    assert said.code == 0, said.err
    assert "all holds" in said.out


def test_the_command_names_what_moved_and_ends_with_1(
    bench: Command, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_RESULTS", str(copy / "results"))
    trial = min(
        path
        for path in (copy / "results" / "trials").glob("*.json")
        if json.loads(path.read_text())["result"]["selected_epoch"] > 1  # so that it can move
    )
    edit(trial, lambda record: record["result"]["epochs"][0].update(val_auc=1.0))
    races = copy / "reports" / "races.md"
    races.write_text(races.read_text().replace("1.16 [1.12", "9.16 [1.12"))
    (copy / "reports" / "new.md").write_text("typed by hand")
    (copy / "reports" / "breast" / "index.html").write_text("a suite's page, made on each machine")
    said = bench("verify", "--reports", copy / "reports")
    assert "index.html" not in said.err
    assert said.code == 1
    assert f"{trial.name}: training.selected_epoch" in said.err
    assert "mobilenetv4_conv_medium, subject is … times as fast: was 9.16" in said.err
    assert "new.md: the file: was a page, is drawn by nothing" in said.err
    assert "Traceback" not in said.err


def test_unusable_input_is_2(bench: Command, tmp_path: Path) -> None:
    assert bench("verify", "no-such-suite").code == 2
    said = bench("verify", "--reports", tmp_path / "none")
    assert said.code == 2
    assert "--reports: no such folder" in said.err


def test_figures_whose_numbers_or_captions_moved_are_named(
    store: Store, suite: Suite, tmp_path: Path
) -> None:
    folder = tmp_path / "reports" / "made" / "figures"
    write_figures(plan_figures(suite, store.all(), store), folder)
    assert told(store, suite) == []
    numbers, page = folder / "roc-breastmnist.csv", folder / "README.md"
    numbers.write_text(numbers.read_text().replace("resnet18,b,1,1,", "resnet18,b,1,0.99,"))
    page.write_text(page.read_text().replace("2 seeds", "3 seeds", 1))
    (folder / "confusion-breastmnist.png").unlink()
    (folder / "old.png").write_bytes(b"")
    lines = told(store, suite)
    assert any("roc-breastmnist.csv" in line and "was 0.99, is 1" in line for line in lines)
    assert any("README.md" in line and "3 seeds" in line for line in lines)
    assert any("confusion-breastmnist.png: the picture" in line for line in lines)
    assert any("old.png" in line for line in lines)
    assert len(lines) == 4
