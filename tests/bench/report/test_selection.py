"""The page of the study: optimism by hand, blanks with reasons, gaps of what others printed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.provenance import study_digest
from bench.records.schema import Provenance
from bench.report.published import Published
from bench.report.published_gaps import best_of, gaps_between
from bench.report.selection import (
    CHOICES,
    by_validation,
    optimism,
    selection_document,
    selection_page,
)
from bench.study.file import Study, load_study, study_id
from bench.study.record import LookedAt, StudyRecord, StudyResult, load
from bench.toml_file import ROOT

STUDY = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 32
threads = 1
models = ["medspectralnet", "resnet18"]
datasets = ["breastmnist"]
seeds = [0, 1, 2]

[[practice]]
who = "Some"
source = "Some 2024"
chose_on = "test"
says = "the best on test"
where = "its code"
"""
Scores = Sequence[tuple[float, float | None]]  # test ACC and AUC, epoch by epoch


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "made.toml"
    path.write_text(STUDY)
    return load_study(str(path))


def result(scores: Scores, chosen: int) -> StudyResult:
    epochs = [
        LookedAt(
            epoch=n,
            val_loss=0.5,
            val_acc=0.8,
            val_auc=0.9 if n == chosen else 0.8,
            test_acc=acc,
            test_auc=auc,
        )
        for n, (acc, auc) in enumerate(scores, 1)
    ]
    return StudyResult(
        params_trainable=1,
        images={"train": 1, "val": 1, "test": 1},
        epochs=epochs,
        validation_chose=chosen,
        omitted_arguments={},
        omitted_augmentations={},
        notes=[],
    )


def records(
    study: Study, wanted: dict[tuple[str, int], tuple[Scores, int]], digest: str | None = None
) -> dict[str, StudyRecord]:
    found = {}
    for spec in study.specs({"breastmnist": "md5:x"}):
        key = (spec.model.name, spec.seed)
        if key not in wanted:
            continue
        made = Provenance(
            commit="c",
            dirty=False,
            source_digest=digest or study_digest(spec),
            packages={},
            python="3",
            platform="p",
            processor="cpu",
            device_name="cpu",
            threads=1,
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
            wall_s=1.0,
        )
        found[study_id(spec)] = StudyRecord(
            id=study_id(spec),
            study=study.name,
            status="done",
            reason=None,
            spec=spec,
            provenance=made,
            looked_at=result(*wanted[key]),
        )
    return found


RISING: Scores = ((0.70, 0.75), (0.80, 0.90), (0.85, 0.80), (0.75, 0.85))


def test_each_choice_takes_its_own_epoch() -> None:
    one = result(RISING, chosen=1)
    assert by_validation(one).epoch == 1
    assert {name: choice(one).epoch for name, choice in CHOICES.items()} == {
        "best test AUC": 2,
        "best test ACC": 3,
        "last epoch": 4,
    }
    tied = result(((0.8, None), (0.8, 0.9), (0.7, 0.9)), chosen=3)
    assert CHOICES["best test ACC"](tied).epoch == 1  # of equals the earliest
    assert CHOICES["best test AUC"](tied).epoch == 2  # undefined is never the best


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8),
    st.integers(0, 7),
)
def test_no_choice_beats_that_by_the_score_itself(scores: Scores, chosen: int) -> None:
    one = result(scores, chosen % len(scores) + 1)
    for choice in (by_validation, *CHOICES.values()):
        assert choice(one).test_acc <= CHOICES["best test ACC"](one).test_acc
        best = CHOICES["best test AUC"](one).test_auc
        own = choice(one).test_auc
        assert own is not None
        assert best is not None
        assert own <= best


def test_optimism_is_a_mean_over_models_with_a_t_interval_over_seeds(study: Study) -> None:
    gains = {0: (0.02, 0.04), 1: (0.01, 0.01), 2: (0.03, 0.07)}
    done = records(
        study,
        {
            (model, seed): (((0.80, 0.8), (0.80 + pair[place], 0.9)), 1)
            for place, model in enumerate(study.file.models)
            for seed, pair in gains.items()
        },
    )
    found = optimism(list(done.values()), study.file.models, "breastmnist", "best test ACC", "acc")
    means = [0.03, 0.01, 0.05]
    half = stats.t.ppf(0.975, 2) * stats.tstd(means) / 3**0.5
    assert found.value == pytest.approx(0.03)
    assert found.low == pytest.approx(0.03 - half)
    page = selection_page([study], done, [])
    assert f"+3.0 [{100 * (0.03 - half):+.1f}, {100 * (0.03 + half):+.1f}]" in page
    assert "6 of 6 trainings are done." in page
    assert "changed since" not in page


def test_one_seed_is_a_blank_with_its_reason(study: Study) -> None:
    done = records(study, {(model, 0): (RISING, 1) for model in study.file.models})
    page = selection_page([study], done, [])
    assert "+15.0 (one pair of trainings shows no spread over seeds)" in page
    assert "2 of 6 trainings are done." in page


def test_a_seed_counts_where_every_model_has_it(study: Study) -> None:
    wanted = {("medspectralnet", seed): (RISING, 1) for seed in range(3)}
    done = list(records(study, wanted).values())
    args = ("breastmnist", "last epoch", "acc")
    both = optimism(done, study.file.models, *args)  # type: ignore[arg-type]
    assert both.value is None
    assert both.blank == "no seed has every model's score"
    one = optimism(done, ["medspectralnet"], *args)  # type: ignore[arg-type]
    assert one.value == pytest.approx(0.05)


def test_old_code_is_named_and_an_empty_study_says_how_to_run_it(study: Study) -> None:
    done = records(study, {("resnet18", 0): (RISING, 1)}, digest="0" * 16)
    assert "1 of them were made by code that has changed since." in selection_page(
        [study], done, []
    )
    assert "Nothing to show yet: `python -m bench study made`." in selection_page([study], {}, [])


def row(model: str, acc: str, size: str = "224", note: str = "", auc: str = "") -> Published:
    return Published(model, "breastmnist", size, acc, auc, "", "", "Some 2024", "there", note)


def test_gaps_are_between_models_of_one_size() -> None:
    rows = [row("a", "0.80"), row("b", "0.83"), row("c", "0.90"), row("d", "0.10", size="28")]
    gaps = gaps_between(rows, "breastmnist", "acc")
    assert gaps.models == 4
    assert sorted(gaps.pairs) == pytest.approx([0.03, 0.07, 0.10])
    assert gaps.neighbours == pytest.approx((0.03, 0.07))
    assert gaps.share_within(0.07) == pytest.approx(2 / 3)
    assert gaps.share_within(0.0) == 0.0
    none = gaps_between(rows, "breastmnist", "auc")
    assert (none.pairs, none.median_pair, none.share_within(1.0)) == ((), None, None)


def test_a_first_hand_number_goes_before_a_transcription() -> None:
    rows = [row("a", "0.99", note="second-hand, damaged"), row("a", "0.80"), row("b", "0.83")]
    assert gaps_between(rows, "breastmnist", "acc").pairs == pytest.approx((0.03,))
    best = best_of(rows, "breastmnist", "Some 2024", [])
    assert best is not None
    assert best.model == "b"
    assert best_of(rows, "breastmnist", "Some 2024", ["z"]) is None
    assert best_of(rows, "breastmnist", "Other", []) is None


def test_the_page_sets_optimism_beside_printed_gaps(study: Study) -> None:
    done = records(study, {(m, s): (RISING, 1) for m in study.file.models for s in range(3)})
    rows = [row("a", "0.80"), row("b", "0.83"), row("c", "0.99")]
    page = selection_page([study], done, rows)
    (line,) = [text for text in page.splitlines() if "|     ACC |" in text]
    cells = [cell.strip() for cell in line.split("|")]
    assert cells[3:7] == ["3", "3", "16.0", "9.5"]
    assert cells[8] == "33"  # 15 points hold the first gap alone
    assert "99 (c at 224)" in page
    assert "the best on test" in page


def test_the_committed_page_is_that_of_the_committed_records() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "results/studies/selection/*.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    stems = [Path(line).stem for line in listed.stdout.splitlines()]
    found = {stem: load(ROOT / "results", stem) for stem in stems}
    page = selection_document({stem: one for stem, one in found.items() if one is not None})
    kept = (ROOT / "reports" / "selection.md").read_text(encoding="utf-8")
    assert kept == page, "python -m bench study selection --draw"


def test_a_score_that_only_a_later_row_of_the_same_model_prints_counts() -> None:
    """One source prints its accuracy, another its AUC."""
    rows = [
        row("a", "0.80"),
        row("a", "", auc="0.90"),
        row("b", "0.85", auc="0.95"),
    ]
    assert gaps_between(rows, "breastmnist", "acc").pairs == pytest.approx((0.05,))
    assert gaps_between(rows, "breastmnist", "auc").pairs == pytest.approx((0.05,))
