"""The smallest effect and the cues, on records whose arithmetic is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bench.records.store import Store
from bench.report.collect import collect
from bench.report.control.cues import cue_rows, profile
from bench.report.control.detectable import blank_lines, detectable_rows, pairs_of
from bench.report.control.page import control_page
from bench.report.control.trainings import Trainings
from bench.staleness import ALL_STALE
from bench.suite import Suite, load_suite
from bench.toml_file import ROOT
from tests._helpers.records import train
from tests.bench.report.control.conftest import SUITE, Keep


def trainings(results: Path, suite: Suite) -> Trainings:
    return Trainings(collect(suite, Store(results).all()))


@pytest.fixture
def two(tmp_path: Path) -> Suite:
    """Three models over three seeds, without control."""
    text = SUITE.replace('controls = ["none", "soft", "mixed"]', "")
    text = text.replace('["small"]', '["small", "resnet18", "resnet34"]')
    text = text.partition("[[grid]]\n")[0] + "[[grid]]\n" + text.split("[[grid]]\n")[1]
    text += SUITE[SUITE.index("[model.small]") :]
    path = tmp_path / "two.toml"
    path.write_text(text)
    return load_suite(str(path))


def test_the_smallest_effect_is_that_of_the_observed_spread(results: Path, two: Suite) -> None:
    rights = {"small": (80, 82, 84), "resnet18": (80, 80, 81), "resnet34": (70, 71, 75)}
    store = Store(results)
    for model, counts in rights.items():
        for seed, right in enumerate(counts):
            train(store, two, model, "phantom-global", seed, right)
    pairs, blanks = pairs_of(trainings(results, two), "acc")
    assert not blanks
    gaps = [
        np.subtract(rights[a], rights[b]) / 100
        for a, b in (("small", "resnet18"), ("small", "resnet34"), ("resnet18", "resnet34"))
    ]
    assert [pair.spread for pair in pairs] == pytest.approx([g.std(ddof=1) for g in gaps])
    one = pairs[0]
    assert one.half_width == pytest.approx(stats.t.ppf(0.95, 2) * one.spread / math.sqrt(3))
    # the true difference is found in 80 % of simulated samples, alone and as one of three
    rng = np.random.default_rng(0)
    for family in (1, 3):
        drawn = rng.normal(one.detectable(family), one.spread, (20_000, 3))
        found = stats.ttest_1samp(drawn, 0.0, axis=1)
        share = np.mean((found.pvalue < 0.05 / family) & (found.statistic > 0))
        assert share == pytest.approx(0.8, abs=0.01)
    row = detectable_rows(trainings(results, two))[0]
    assert row["pairs"] == "3"
    assert row["test images"] == "100"
    assert row["one image"] == "1.00"
    assert row["detectable, Holm"].endswith("of 3")
    assert row["fits the region"] == "0 of 3"


def test_a_pair_without_spread_is_left_out_and_named(results: Path, two: Suite) -> None:
    store = Store(results)
    for model in ("small", "resnet18"):
        train(store, two, model, "phantom-global", 0, 80)
    found = trainings(results, two)
    assert detectable_rows(found) == []
    assert (
        "two, ACC: 1 pair(s) left out: one pair of trainings shows no spread over seeds."
        in blank_lines(found)
    )


def test_no_record_is_no_row_and_a_reason(results: Path, two: Suite) -> None:
    found = trainings(results, two)
    assert detectable_rows(found) == []
    assert "two, ACC: no two models have trainings here." in blank_lines(found)


def test_what_remains_is_above_the_majority_class(results: Path, suite: Suite, keep: Keep) -> None:
    keep(none=(90, 90, 90), blur=(80, 80, 80), shuffle=(50, 53, 47))
    cues = {(cue.control, cue.score): cue for cue in profile(trainings(results, suite))}
    blur = cues["blur-2", "acc"]
    assert blur.floor == 0.5  # labels are 0 and 1 in turn
    assert blur.share.value == pytest.approx(0.75)  # (80 − 50) / (90 − 50)
    shuffle = cues["shuffle-4", "acc"]
    assert shuffle.share.value == pytest.approx(0.0)
    half = stats.t.ppf(0.975, 2) * 0.03 / math.sqrt(3) / 0.4
    assert shuffle.share.low == pytest.approx(-half)
    assert shuffle.verdict.word == "worse"
    assert {row["verdict"] for row in cue_rows([shuffle])} == {"worse"}
    assert cues["blur-2", "auc"].floor == 0.5


def test_one_seed_leaves_a_blank_with_its_reason(results: Path, suite: Suite, keep: Keep) -> None:
    keep(none=(90,), blur=(80,), shuffle=(), others=())
    (row, _) = cue_rows(profile(trainings(results, suite)))
    assert row["remains (%) [95 %]"] == "– (one pair of trainings shows no spread over seeds)"
    assert row["verdict"] == "undecided"


def test_a_page_without_records_is_drawn() -> None:
    page = control_page([], ALL_STALE)
    assert "0 of" in page
    assert "Nothing to show yet: `python -m bench run cues`." in page


def test_the_committed_page_is_that_of_the_committed_records() -> None:
    from bench.staleness import Staleness
    from tests.bench.report.test_readme import committed_records

    page = control_page(committed_records(), Staleness.load(ROOT / "results"))
    kept = (ROOT / "reports" / "control.md").read_text(encoding="utf-8")
    assert kept == page, "python -m bench control"
