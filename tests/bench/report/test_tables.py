"""Tables from hand-made records: means, pairs, marks, blanks; the same records, the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.provenance import source_digest
from bench.records.schema import (
    ClassScore,
    CostResult,
    DataSeen,
    Provenance,
    Record,
    Scores,
    TrainingResult,
)
from bench.report.ablations import ablation_table
from bench.report.accuracy import accuracy_table, control_table
from bench.report.collect import collect
from bench.report.context import Context
from bench.report.cost import cost_table
from bench.report.tables import write_tables
from bench.specs import CostSpec, DataIdentity, RunSpec
from bench.suite import Cell, Suite, load_suite
from tests._helpers.specs import cost_spec, run_spec
from tests._helpers.tables import texts

SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 64
threads = 2

[[grid]]
models = ["medspectralnet", "medspectralnet_local_stream", "resnet18"]
datasets = ["breastmnist", "retinamnist"]
seeds = [0, 1]

[[grid]]
models = ["resnet18"]
datasets = ["breastmnist"]
seeds = [0]
controls = ["soft"]

[control.soft]
kind = "blur"
sigma = 2.0

[cost]
num_classes = 8
batch_size = 4
seconds_per_model = 1.0
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "made.toml"
    path.write_text(SUITE)
    return load_suite(str(path))


def scores(acc: float, auc: float | None) -> Scores:
    blank = None if auc is not None else "no image of 'b' in this split"
    return Scores(
        images=100,
        acc=acc,
        auc=auc,
        auc_present=auc,
        balanced_accuracy=acc,
        macro_f1=acc,
        ece=0.1,
        ece_bins=15,
        loss=0.5,
        per_class=[ClassScore(name="b", support=1, recall=0.5, auc=auc, blank=blank)],
    )


def provenance(spec: RunSpec | CostSpec, **changes: Any) -> Provenance:
    values: dict[str, Any] = {
        "commit": "c",
        "dirty": False,
        "source_digest": source_digest(spec),
        "packages": {},
        "python": "3",
        "platform": "p",
        "processor": "cpu",
        "device_name": "cpu",
        "threads": 2,
        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
        "wall_s": 10.0,
    }
    return Provenance(**(values | changes))


def training(
    suite: Suite, cell: Cell, acc: float, auc: float | None = 0.9, **changes: Any
) -> Record:
    official = changes.pop("official", True)
    digest = changes.pop("digest", None)
    values: dict[str, Any] = {
        "model": cell.model,
        "data": DataIdentity(name=cell.dataset.name, checksum="md5:1", source_size=28),
        "control": cell.control,
        "protocol": suite.protocol,
        "seed": cell.seed,
    }
    spec = run_spec(**(values | changes))
    result = TrainingResult(
        data=DataSeen(
            task="binary-class",
            class_names=["a", "b"],
            channels_in_file=1,
            images={"train": 10, "val": 5, "test": 100},
            official=official,
            synthetic=False,
            licence="CC BY 4.0",
            note="" if official else "not the official file.",
        ),
        params_trainable=8_500_000,
        model_arguments={},
        omitted_arguments={},
        omitted_augmentations={},
        notes=[],
        epochs=[],
        selected_epoch=1,
        selected_on="validation auc",
        test_opened_at=datetime(2026, 1, 1, tzinfo=UTC),
        val=scores(acc, auc),
        test=scores(acc, auc),
        train_images_per_s=100.0,
        predictions_sha256="0",
    )
    made = provenance(spec, **({"source_digest": digest} if digest else {}))
    return Record(
        kind="training",
        id=spec.id,
        status="done",
        reason=None,
        spec=spec,
        suite=None,
        provenance=made,
        attempts=[],
        training=result,
    )


def cost(cell: Cell, **changes: Any) -> Record:
    spec = cost_spec(model=cell.model)
    values: dict[str, Any] = {
        "params_trainable": 11_180_616,
        "params_total": 11_180_616,
        "buffers": 0,
        "weights_bytes": 4 * 11_180_616,
        "macs": 150_000_000,
        "macs_complete": True,
        "macs_uncounted": {},
        "macs_by_part": {},
        "macs_second_counter": 150_000_000,
        "macs_counters_differ": None,
        "throughput_images_per_s_median": 123.4,
        "throughput_images_per_s_low": 120.0,
        "throughput_images_per_s_high": 125.0,
        "throughput_samples_s": [0.1],
        "latency_s_p50": 0.0123,
        "latency_s_p95": None,
        "latency_samples_s": [0.0123],
        "noisy": False,
        "load_before": 0.0,
        "load_after": 0.0,
        "notes": [],
    }
    return Record(
        kind="cost",
        id=spec.id,
        status="done",
        reason=None,
        spec=spec,
        suite=None,
        provenance=provenance(spec),
        attempts=[],
        cost=CostResult(**(values | changes)),
    )


ACCURACIES = {"medspectralnet": 0.90, "medspectralnet_local_stream": 0.85, "resnet18": 0.80}


def all_done(suite: Suite) -> list[Record]:
    """Every cell done; seed 1 scores two points more than seed 0."""
    return [
        training(suite, cell, ACCURACIES[cell.model.name] + 0.02 * cell.seed)
        for cell in suite.cells
    ]


def context(suite: Suite, records: list[Record]) -> Context:
    return Context(collect(suite, records))


def rows_by_model(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["model"].split(" ")[0]: row for row in rows}


def test_means_spread_and_average_over_data_sets(suite: Suite) -> None:
    rows = rows_by_model(texts(accuracy_table(context(suite, all_done(suite))).rows))
    assert list(rows) == list(ACCURACIES)
    assert rows["resnet18"]["breastmnist ACC (%)"] == "81.0 ± 1.4"
    assert rows["resnet18"]["mean ACC (%)"] == "81.0"
    assert rows["resnet18"]["breastmnist seeds"] == "2"
    assert rows["resnet18"]["params (M)"] == "8.50"  # as trained
    assert rows["resnet18"]["MACs (G)"] == "–"  # nothing measured


def test_a_missing_data_set_leaves_the_average_blank(suite: Suite) -> None:
    records = [r for r in all_done(suite) if "retina" not in r.spec.label]
    row = rows_by_model(texts(accuracy_table(context(suite, records)).rows))["resnet18"]
    assert row["retinamnist ACC (%)"] == row["mean ACC (%)"] == "–"
    assert row["breastmnist ACC (%)"] == "81.0 ± 1.4"


def test_an_undefined_auc_is_a_blank_with_its_reason(suite: Suite) -> None:
    drawn = context(suite, [training(suite, cell, 0.8, auc=None) for cell in suite.cells])
    row = rows_by_model(texts(accuracy_table(drawn).rows))["resnet18"]
    assert row["breastmnist AUC (%)"] == "– [1]"
    assert drawn.notes.sentences == ("Undefined: no image of 'b' in this split.",)
    assert row["mean AUC (%)"] == "–"


def test_ablations_are_differences_on_paired_seeds(suite: Suite) -> None:
    records = [
        record
        for record in all_done(suite)
        if not ("local_stream" in record.spec.label and "seed 1" in record.spec.label)
    ]
    rows = rows_by_model(texts(ablation_table(context(suite, records)).rows))
    ablated = rows["medspectralnet_local_stream"]
    assert ablated["breastmnist ΔACC (points)"] == "-5.0 [1]"  # seed 0 against seed 0, not the mean
    assert ablated["breastmnist paired seeds"] == "1"
    assert "global stream" in ablated["what is removed"]
    assert "breastmnist ΔACC (points)" not in rows["medspectralnet"]


def test_ablations_are_judged_as_a_family_of_their_own(suite: Suite, tmp_path: Path) -> None:
    text = SUITE.replace("seeds = [0, 1]", "seeds = [0, 1, 2, 3]")
    (tmp_path / "four.toml").write_text(text)
    four = load_suite(str(tmp_path / "four.toml"))
    gaps = {"breastmnist": [0.05, 0.051, 0.049, 0.05], "retinamnist": [0.1, -0.1, 0.05, -0.05]}
    records = [
        training(four, cell, 0.8 - gaps[cell.dataset.name][cell.seed], 0.9 + 0.001 * cell.seed)
        if cell.model.name == "medspectralnet_local_stream"
        else training(four, cell, 0.8, 0.9 + 0.001 * cell.seed)
        for cell in four.cells
    ]
    rows = rows_by_model(texts(ablation_table(context(four, records)).rows))
    ablated = rows["medspectralnet_local_stream"]
    assert ablated["breastmnist verdict ACC / AUC"] == "worse / undecided"
    assert ablated["retinamnist verdict ACC / AUC"] == "undecided / undecided"
    assert "breastmnist verdict ACC / AUC" not in rows["medspectralnet"]
    single = rows_by_model(texts(ablation_table(context(suite, all_done(suite))).rows))
    words = single["medspectralnet_local_stream"]["breastmnist verdict ACC / AUC"]
    assert words == "undecided / undecided"  # every seed has the same difference


def test_an_ablation_without_a_shared_seed_has_no_word(suite: Suite) -> None:
    records = [
        record
        for record in all_done(suite)
        if ("local_stream" in record.spec.label) == ("seed 1" in record.spec.label)
    ]
    rows = rows_by_model(texts(ablation_table(context(suite, records)).rows))
    assert rows["medspectralnet_local_stream"]["breastmnist verdict ACC / AUC"] == "–"


def test_controls_have_a_table_of_their_own_and_an_interval_for_one_seed(suite: Suite) -> None:
    drawn = context(suite, all_done(suite))
    (row,) = texts(control_table(drawn).rows)
    assert row["ACC (%)"] == "81.0 ± 1.4"
    assert row["ACC (%) under blur-2"] == "80.0 [71.1, 86.7]"  # Wilson, 80 of 100
    assert "blur-2" not in str(texts(accuracy_table(drawn).rows))


def test_stale_and_unofficial_records_are_marked(suite: Suite) -> None:
    records = [training(suite, suite.cells[0], 0.9, digest="old", official=False)]
    drawn = context(suite, records)
    assert texts(accuracy_table(drawn).rows)[0]["model"] == "medspectralnet [1][2]"
    assert "Stale" in drawn.notes.sentences[0]
    assert "not the official file" in drawn.notes.sentences[1]


def test_two_versions_of_a_data_set_are_never_mixed(suite: Suite) -> None:
    other = DataIdentity(name="breastmnist", checksum="sha256:2", source_size=28)
    cell = suite.cells[0]
    odd = training(suite, cell, 0.1, official=False, data=other)
    collected = collect(suite, [*all_done(suite), odd])
    assert odd not in collected.records
    assert collected.left_out[0].startswith("1 record(s) on another version of breastmnist")


def test_todays_data_is_shown_and_without_it_no_version_is_guessed(suite: Suite) -> None:
    cell = suite.cells[0]
    versions = [
        training(
            suite,
            cell,
            acc,
            official=False,
            data=DataIdentity(name="breastmnist", checksum=checksum, source_size=28),
        )
        for acc, checksum in ((0.1, "sha256:1"), (0.2, "sha256:2"))
    ]
    unknown = collect(suite, versions)
    assert unknown.records == []
    assert "unclear which is meant" in unknown.left_out[0]
    known = collect(suite, versions, {"breastmnist": "sha256:2"})
    assert known.records == [versions[1]]
    assert collect(suite, versions, {"breastmnist": "sha256:3"}).records == []


def test_the_same_name_with_other_options_is_another_data_set(suite: Suite) -> None:
    cell = suite.cells[0]
    other = DataIdentity(
        name="breastmnist", checksum="md5:1", source_size=28, described={"task": "multi-class"}
    )
    assert collect(suite, [training(suite, cell, 0.5, data=other)]).records == []


def test_marks_stand_in_every_table(suite: Suite) -> None:
    records = [training(suite, cell, 0.9, digest="old") for cell in suite.cells]
    drawn = context(suite, records)
    for rows in (
        texts(accuracy_table(drawn).rows),
        texts(ablation_table(drawn).rows),
        texts(control_table(drawn).rows),
    ):
        assert rows
        assert all("[" in row["model"] for row in rows)
    noisy = cost(suite.cells[-1], noisy=True)
    (marked,) = [
        row for row in texts(accuracy_table(context(suite, [noisy])).rows) if "[" in row["images/s"]
    ]
    assert marked["model"] == "resnet18"


def test_devices_are_never_mixed_in_one_row(suite: Suite) -> None:
    records = [
        *all_done(suite),
        training(suite, suite.cells[0], 0.5, device="cuda", precision="bfloat16"),
    ]
    rows = texts(accuracy_table(context(suite, records)).rows)
    found = {row["model"]: row["breastmnist ACC (%)"] for row in rows}
    assert found["medspectralnet (cpu, float32)"] == "91.0 ± 1.4"
    assert found["medspectralnet (cuda, bfloat16)"] == "50.0 [40.4, 59.6]"


def test_costs_show_incomplete_counts_noise_and_what_was_not_measured(suite: Suite) -> None:
    resnet = next(cell for cell in suite.cells if cell.model.name == "resnet18")
    odd = cost(resnet, macs_complete=False, macs_uncounted={"aten::fft": 2}, noisy=True)
    drawn = context(suite, [odd])
    rows = rows_by_model(texts(cost_table(drawn).rows))
    assert rows["resnet18"]["params (M)"] == "11.18"
    assert rows["resnet18"]["MACs (G)"] == "0.15"
    assert rows["resnet18"]["latency p50 (ms)"] == "12.3"
    assert rows["medspectralnet"]["images/s"] == "–"
    notes = "\n".join(drawn.notes.sentences)
    assert "incomplete, uncounted: aten::fft" in notes
    assert "Noisy" in notes
    assert f"No cost: not measured here; `python -m bench measure {suite.reference}`" in notes
    assert texts(accuracy_table(context(suite, [odd])).rows)[2]["MACs (G)"] == "0.15 incomplete [1]"


def test_the_same_records_give_the_same_bytes_whatever_their_order(
    suite: Suite, tmp_path: Path
) -> None:
    records = [*all_done(suite), *(cost(cell) for cell in suite.cells[::2])]
    first = write_tables(suite, records, tmp_path / "a")
    second = write_tables(suite, records[::-1], tmp_path / "b")
    names = [path.name for path in first]
    assert [name for name in names if name.endswith(".md")] == [
        *("accuracy.md", "ablations.md", "cost.md", "data-audit.md", "provenance.md"),
        "licences.md",
    ]
    for table in ("accuracy", "accuracy-controls", "accuracy-published", "ablations", "cost"):
        assert {f"{table}.{form}" for form in ("csv", "tex", "html")} <= set(names)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_suite_without_any_record_says_what_is_missing(suite: Suite, tmp_path: Path) -> None:
    write_tables(suite, [], tmp_path)
    text = (tmp_path / "accuracy.md").read_text()
    assert f"0 of {len(suite.cells)} runs of this suite are shown." in text
    assert "- resnet18 on breastmnist, retinamnist, seeds 0, 1: not run yet" in text
    assert "no finished runs" in text


def test_published_numbers_stand_in_columns_of_their_own_with_their_source(
    suite: Suite, tmp_path: Path
) -> None:
    write_tables(suite, all_done(suite), tmp_path)
    header = (tmp_path / "accuracy.csv").read_text().splitlines()[0]
    assert "published breastmnist ACC / AUC (%)" in header
    text = (tmp_path / "accuracy.md").read_text()
    assert "86.3 / 90.1" in text or "83.3 / 89.1" in text
    assert "Yang et al. 2023" in text
