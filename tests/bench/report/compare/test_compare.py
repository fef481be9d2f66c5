"""`compare`: its words are those of the verdicts, and nothing that bears on them is left unsaid."""

from __future__ import annotations

import csv
import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.tables import write_tables
from bench.suite import Suite, load_suite
from tests._helpers.records import measure, train
from tests.bench.conftest import Command

SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = {size}
threads = 3

[[grid]]
models = ["medspectralnet", "medspectralnet_local_stream", "resnet18", "resnet50"]
datasets = ["breastmnist", "pneumoniamnist"]
seeds = [{seeds}]

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""
RIGHT = {
    "medspectralnet": (85, 86, 87),
    "medspectralnet_local_stream": (70, 71, 73),
    "resnet18": (84, 88, 85),
    "resnet50": (50, 60, 71),
}


def made(folder: Path, size: int = 64, seeds: str = "0, 1, 2") -> Suite:
    text = SUITE.format(size=size, seeds=seeds)
    path = folder / f"made-{size}.toml"
    path.write_text(text)
    return load_suite(str(path))


def fill(store: Store, suite: Suite, shift: int = 0) -> None:
    for cell in suite.cells:
        name, right = cell.model.name, RIGHT[cell.model.name][cell.seed] + shift
        train(store, suite, name, cell.dataset.name, cell.seed, right)


def told(bench: Command, *arguments: str | Path) -> dict[str, Any]:
    said = bench("compare", *arguments, "--format", "json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_it_says_what_the_page_of_verdicts_says(
    bench: Command, tmp_path: Path, results: Path
) -> None:
    suite, store = made(tmp_path), Store(results)
    fill(store, suite)
    write_tables(suite, store.all(), tmp_path / "drawn", store=store)
    rows = csv.DictReader((tmp_path / "drawn" / "verdicts.csv").read_text().splitlines())
    shown = {(row["model"], row["data set"], row["metric"]): row for row in rows}
    for other in ("medspectralnet_local_stream", "resnet18", "resnet50"):
        found = told(bench, "medspectralnet", other, "--suite", suite.path)
        turned = told(bench, other, "medspectralnet", "--suite", suite.path)
        (one,), (mirror,) = found["trained"], turned["trained"]
        words = set()
        for score, back in zip(one["scores"], mirror["scores"], strict=True):
            row = shown[other, score["dataset"], score["metric"]]
            verdict = score["verdict"]
            assert verdict["word"] == row["verdict"]
            assert f"{verdict['p']:.4g}" == row["p (Holm)"]
            assert f"{100 * verdict['detectable']:.4g}" == row["detectable (points)"]
            assert f"{100 * score['over_both']['low']:.4g}" == row["low over seeds and images"]
            assert str(verdict["further_seeds"] or "–") == row["further seeds"]
            opposite = {"better": "worse", "worse": "better"}
            assert back["verdict"]["word"] == opposite.get(verdict["word"], verdict["word"])
            assert back["verdict"]["difference"]["value"] == -verdict["difference"]["value"]
            words.add(verdict["word"])
        assert words == {"medspectralnet_local_stream": {"better"}}.get(other, {"undecided"})
    assert "`medspectralnet` is not shown to be better than `resnet50`, nor worse" in found["words"]


def test_a_pair_without_the_subject_answers_for_every_pair(
    bench: Command, tmp_path: Path, results: Path
) -> None:
    suite, store = made(tmp_path), Store(results)
    fill(store, suite)
    own = told(bench, "medspectralnet", "resnet18", "--suite", suite.path)["trained"][0]
    any_two = told(bench, "local_stream", "resnet18", "--suite", suite.path)["trained"][0]
    assert own["families"]["ACC"]["size"] == 3 * 2
    assert any_two["families"]["ACC"]["size"] == 6 * 2


def test_protocols_and_sizes_are_never_mixed(bench: Command, tmp_path: Path, results: Path) -> None:
    small, large, store = made(tmp_path, 32), made(tmp_path, 64), Store(results)
    fill(store, small, shift=-30)
    fill(store, large)
    found = told(bench, "medspectralnet", "resnet18")["trained"]  # neither suite is the checkout's
    assert sorted(one["image_size"] for one in found) == [32, 64]
    by_size = {one["image_size"]: one for one in found}
    for size, shift in ((32, -30), (64, 0)):
        values = by_size[size]["scores"][0]["first"].values()
        wanted = [(right + shift) / 100 for right in RIGHT["medspectralnet"]]
        assert list(values) == pytest.approx(wanted)


def test_what_is_stale_missing_or_failed_is_said(
    bench: Command, tmp_path: Path, results: Path
) -> None:
    suite, store = made(tmp_path), Store(results)
    fill(store, suite)
    records = [r for r in store.all() if r.training and r.spec.label.startswith("resnet18 ·")]
    stale, failed, gone = records[:3]
    made_by = stale.provenance.model_copy(update={"source_digest": "0" * 16})
    store.save(stale.model_copy(update={"provenance": made_by}))
    reason = {"status": "failed", "reason": "the loss became nan", "training": None}
    store.save(failed.model_copy(update=reason))
    store.path(gone.id).unlink()
    said = bench("compare", "medspectralnet", "resnet18", "--suite", suite.path)
    assert said.code == 0, said.err
    row = next(line for line in said.out.splitlines() if line.startswith("| B: resnet18"))
    assert [cell.strip() for cell in row.split("|")[3:7]] == ["4", "1", "1", "1"]
    assert f"Failed: {failed.spec.label}: failed: the loss became nan." in said.out
    assert "1 run of these are of code that has changed since." in said.out
    assert "Runs are missing: `resnet18` 2 of 6." in said.out
    assert "--only model=resnet18` makes what lacks" in said.out


def test_one_seed_decides_nothing(bench: Command, tmp_path: Path, results: Path) -> None:
    suite, store = made(tmp_path, seeds="0"), Store(results)
    fill(store, suite)
    found = told(bench, "medspectralnet", "local_stream", "--suite", suite.path)
    assert {s["verdict"]["word"] for s in found["trained"][0]["scores"]} == {"undecided"}
    assert "without a spread over seeds, and these show none" in found["words"]
    pair = found["trained"][0]["same_seed"][0]  # 85 and 70 right, the first ones of either
    assert (pair["mcnemar"]["first_only"], pair["mcnemar"]["second_only"]) == (15, 0)
    assert pair["mcnemar"]["p"] == pytest.approx(2 * 0.5**15)


def timed(store: Store, record: Record, seconds: float) -> None:
    """Ten rounds of two batches, which differ a little."""
    assert record.cost is not None
    samples = [seconds * (1 + 0.001 * number) for number in range(20)]
    again = {"throughput_samples_s": samples, "throughput_rounds": [2] * 10}
    store.save(record.model_copy(update={"cost": record.cost.model_copy(update=again)}))


def test_speed_needs_the_same_machine_and_rounds(
    bench: Command, tmp_path: Path, results: Path
) -> None:
    suite, store = made(tmp_path), Store(results)
    for name, seconds in (("medspectralnet", 1.0), ("resnet18", 2.0)):
        timed(store, measure(store, suite, name), seconds)
    elsewhere = measure(store, suite, "resnet50", machine="another")
    timed(store, elsewhere, 9.0)
    found = told(bench, "medspectralnet", "resnet18")
    assert found["measured"][0]["speed"]["ratio"]["value"] == pytest.approx(2)
    assert found["measured"][0]["speed"]["word"] == "faster"
    assert "`medspectralnet` is faster than `resnet18` where both were timed" in found["words"]
    assert "nothing here says whether" in found["words"]  # of accuracy
    apart = told(bench, "medspectralnet", "resnet50")
    assert apart["measured"] == []
    assert "Of speed nothing is said" in apart["words"]
    (record,) = [r for r in store.all() if r.spec.label.startswith("cost of resnet18")]
    later = record.provenance.model_copy(update={"started_at": datetime(2027, 1, 1, tzinfo=UTC)})
    store.save(record.model_copy(update={"provenance": later}))
    assert told(bench, "medspectralnet", "resnet18")["measured"][0]["speed"] is None


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("resnet18", "resnet18"), "A and B are both 'resnet18'"),
        (("local_stream", "medspectralnet_local_stream"), "A and B are both"),
        (("resnet18", "medspectralnt"), "B: no model is called 'medspectralnt'; did you mean"),
        (
            ("swin_tiny_patch4_window7_224", "resnet18"),
            "A: no record of 'swin_tiny_patch4_window7_224'; `python -m bench run paper",
        ),
        (("resnet18", "medspectralnet", "--suite", "roster-224"), "does not train 'resnet18'"),
    ],
)
def test_a_name_that_leads_nowhere_is_one_line(
    bench: Command, tmp_path: Path, results: Path, names: tuple[str, ...], problem: str
) -> None:
    suite, store = made(tmp_path), Store(results)
    for name in RIGHT:
        measure(store, suite, name)
    said = bench("compare", *names)
    assert said.code == 2
    assert problem in said.err
    assert said.err.count("\n") == 1


def test_predictions_that_are_gone_are_refused(
    bench: Command, tmp_path: Path, results: Path
) -> None:
    suite, store = made(tmp_path), Store(results)
    fill(store, suite)
    record = next(r for r in store.all() if r.spec.label.startswith("resnet18 ·"))
    store.predictions_path(record.id).write_bytes(b"other")
    said = bench("compare", "medspectralnet", "resnet18", "--suite", suite.path)
    assert said.code == 2
    assert "missing or changed" in said.err


def test_markdown_and_terminal_say_the_same(
    bench: Command, tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, store = made(tmp_path), Store(results)
    fill(store, suite)
    file = tmp_path / "out" / "pair.md"
    pair = ("medspectralnet", "resnet18", "--suite", suite.path)
    assert bench("compare", *pair, "--output", file).code == 0
    text = file.read_text()
    assert bench("compare", *pair).out == text
    monkeypatch.setattr("bench.cli.comparing._at_a_terminal", lambda: True)
    cells = [cell.strip() for line in text.splitlines() for cell in line.split("|")[1:-1]]
    for columns in ("60", "300"):  # as lines, as tables
        monkeypatch.setenv("COLUMNS", columns)
        shown = bench("compare", *pair).out
        lost = [c for c in cells if " " not in c and ":-" not in c and c not in shown]
        assert not [c for c in lost if not c.startswith("--")]


def test_the_protocol_of_records_of_no_suite_has_its_own_name(
    bench: Command, tmp_path: Path, results: Path
) -> None:
    suite, store = made(tmp_path), Store(results)
    own = dataclasses.replace(
        suite,
        protocol=suite.protocol.model_copy(update={"epochs": 3}),
        path=tmp_path / "other.toml",
    )
    fill(store, suite)
    fill(store, own)
    found = told(bench, "medspectralnet", "resnet18")["trained"]
    assert sorted(one["protocol"] for one in found) == ["small", "unnamed"]
