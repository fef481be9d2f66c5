"""Numbers, checks and accuracy as lines of the table; what is accepted, what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from bench.regress.across import across_findings, exact_of
from bench.regress.file import GATE, GateFile
from bench.regress.findings import (
    accepted,
    accuracy_findings,
    check_findings,
    exact_findings,
    time_findings,
)
from bench.regress.record import CellTrainings, CheckResult, ExactOf, Finding, Training
from bench.toml_file import read_toml
from tests.bench.regress.samples import MACHINE, NUMBERS, revision
from tests.bench.regress.test_judge import row

FILE = read_toml(GATE, GateFile)
assert FILE.accuracy is not None
assert FILE.run_time is not None
ACCURACY, RUN_TIME = FILE.accuracy, FILE.run_time


def of(**update: Any) -> ExactOf:
    return ExactOf(machine=MACHINE, models={"net": NUMBERS.model_copy(update=update)}, absent=[])


def by_verdict(findings: list[Finding], verdict: str) -> list[str]:
    return [finding.name for finding in findings if finding.verdict == verdict]


@pytest.mark.parametrize(
    ("update", "name"),
    [
        ({"params_total": 1001}, "parameters:net"),
        ({"macs": 10_100}, "MACs:net"),
        ({"operators": 51}, "operators:net"),
        ({"activation_bytes": 4097}, "activation bytes:net"),
        ({"norm_operators": 6}, "normalisation present:net"),
        ({"macs_complete": False}, "MACs complete:net"),
    ],
)
def test_the_smallest_step_for_the_worse_is_a_regression(update: dict[str, Any], name: str) -> None:
    assert by_verdict(exact_findings(of(), of(**update)), "regression") == [name]
    assert by_verdict(exact_findings(of(), of()), "regression") == []


def test_less_is_a_notice_and_other_bits_alone_are_too() -> None:
    found = exact_findings(of(), of(macs=9_000, outputs_sha256="other"))
    assert by_verdict(found, "notice") == ["MACs:net", "outputs:net"]
    assert by_verdict(found, "regression") == []


def test_bits_are_not_held_against_another_machines() -> None:
    other = MACHINE.model_copy(update={"capability": "AVX2"})
    found = exact_findings(of().model_copy(update={"machine": other}), of(outputs_sha256="other"))
    assert not [finding for finding in found if finding.name.startswith("outputs")]


def test_what_torch_decides_is_not_compared_across_packages() -> None:
    other = MACHINE.model_copy(update={"packages": {"torch": "1", "timm": "1"}})
    found = exact_findings(of().model_copy(update={"machine": other}), of(operators=99))
    assert by_verdict(found, "not measured") == ["operators:net", "activation bytes:net"]


def test_a_model_that_is_gone_is_a_regression_and_a_new_one_is_not() -> None:
    none = ExactOf(machine=MACHINE, models={}, absent=["net"])
    assert by_verdict(exact_findings(of(), none), "regression") == ["model:net"]
    assert by_verdict(exact_findings(none, of()), "not measured") == ["model:net"]


def test_what_is_accepted_is_marked_by_its_name() -> None:
    found = exact_findings(of(), of(macs=10_100, params_total=1001))
    marked = accepted(found, ["MACs:*"])
    assert by_verdict(marked, "accepted") == ["MACs:net"]
    assert by_verdict(marked, "regression") == ["parameters:net"]


def test_a_check_that_does_not_hold_is_a_regression() -> None:
    checks = [
        CheckResult(name="a", passed=True, detail="x"),
        CheckResult(name="b", passed=False, detail="y"),
    ]
    found = check_findings(checks)
    assert by_verdict(found, "regression") == ["b"]
    assert found[1].says == "y"


def cell(ours: list[float], theirs: list[float], bits: str = "same") -> CellTrainings:
    def trained(scores: list[float], bits: str) -> list[Training]:
        return [
            Training(seed=i, auc=auc, acc=0.5, weights_sha256=f"{bits}{i}", losses=[], wall_s=1.0)
            for i, auc in enumerate(scores)
        ]

    return CellTrainings(
        label="net on data", baseline=trained(theirs, "same"), candidate=trained(ours, bits)
    )


@pytest.mark.parametrize(
    ("gaps", "verdict"),
    [
        ([0.0, 0.0, 0.0], "pass"),
        ([0.004, -0.003, 0.001], "pass"),
        ([-0.20, -0.21, -0.19], "regression"),
        ([-0.2, 0.2, 0.0], "too noisy"),
    ],
)
def test_accuracy(gaps: list[float], verdict: str) -> None:
    theirs = [0.8, 0.82, 0.79]
    ours = [b + gap for b, gap in zip(theirs, gaps, strict=True)]
    seeds, found, bits = accuracy_findings([cell(ours, theirs, "other")], ACCURACY)
    assert found.verdict == verdict
    assert bits.verdict == "notice"
    assert seeds.verdict == "pass"


def test_seeds_that_decide_nothing_are_a_regression() -> None:
    one = cell([0.8, 0.82, 0.79], [0.8, 0.82, 0.79])
    same = [t.model_copy(update={"weights_sha256": "x"}) for t in one.candidate]
    (found, *_) = accuracy_findings([one.model_copy(update={"candidate": same})], ACCURACY)
    assert (found.name, found.verdict) == ("seeds tell trainings apart:net on data", "regression")
    assert "3 seeds end with 1 different sets of weights" in found.says
    two = [*same[:2], one.candidate[2]]  # as of a seed that is taken by halves
    (found, *_) = accuracy_findings([one.model_copy(update={"candidate": two})], ACCURACY)
    assert found.verdict == "regression"
    was_so = one.model_copy(update={"candidate": same, "baseline": same})
    assert [f.verdict for f in accuracy_findings([was_so], ACCURACY)] == ["pass", "pass"]


@pytest.mark.parametrize(
    ("update", "verdict", "why"),
    [
        ({"unavailable": "no network"}, "no data", "no network"),
        (
            {"unavailable": "546 images", "lost": True},
            "regression",
            "refuses what the baseline loads: 546 images",
        ),
        ({"candidate": []}, "not measured", "3 are needed"),
    ],
)
def test_accuracy_that_was_not_measured_says_why(
    update: dict[str, Any], verdict: str, why: str
) -> None:
    one = cell([0.8] * 3, [0.8] * 3).model_copy(update=update)
    (found, *_) = accuracy_findings([one], ACCURACY)
    assert found.verdict == verdict
    assert why in found.says
    (known,) = accepted([found], ["AUC:*"])
    assert known.verdict == ("not measured" if verdict == "no data" else verdict)


def test_other_arrays_of_the_same_data_are_a_regression() -> None:
    one = cell([0.8] * 3, [0.8] * 3).model_copy(update={"data_differs": True})
    seeds, found = accuracy_findings([one], ACCURACY)
    assert seeds.verdict == "pass"
    assert (found.verdict, found.name) == ("regression", "AUC:net on data")
    assert "other arrays" in found.says


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({"told_auc": 0.8, "told_acc": 0.5 + 1e-9}, "pass"),
        ({"told_auc": 0.85, "told_acc": 0.5}, "regression"),
        ({"told_auc": None, "told_acc": 0.5}, "regression"),
        ({"told_auc": 0.8, "told_acc": 0.51}, "regression"),
    ],
)
def test_scores_that_are_not_the_predictions_are_a_regression(
    told: dict[str, float | None], verdict: str
) -> None:
    one = cell([0.8] * 3, [0.8] * 3)
    trained = [training.model_copy(update=told) for training in one.candidate]
    found = accuracy_findings([one.model_copy(update={"candidate": trained})], ACCURACY)
    assert found[0].name == "scores are those of the predictions:net on data"
    assert found[0].verdict == verdict
    found = accuracy_findings([one], ACCURACY)  # of older records
    assert [one.name for one in found] == [
        "seeds tell trainings apart:net on data", "AUC:net on data", "training bits:net on data",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [(0, 0, "pass"), (2, 1, "pass"), (2, 4, "regression"), (None, 4, "not measured")],
)
def test_weights_that_lose_their_gradient_are_a_regression(
    before: int | None, after: int, verdict: str
) -> None:
    sides = [
        ExactOf(
            machine=MACHINE,
            models={"net": NUMBERS.model_copy(update={"unreached": count})},
            absent=[],
        )
        for count in (before, after)
    ]
    found = [f for f in exact_findings(*sides) if f.name == "gradient reaches the weights:net"]
    assert [f.verdict for f in found] == [verdict]


def test_a_record_stands_for_a_baseline_that_is_gone() -> None:
    kept = revision("a" * 40)
    assert exact_of(kept, ["net", "other"]).absent == ["other"]
    one = cell([0.80, 0.81, 0.83], [])
    found = accuracy_findings([one], ACCURACY, {"net on data": {0: 0.8, 1: 0.81, 2: 0.83}})
    assert [finding.verdict for finding in found] == ["pass", "pass"]
    timed = row(slower=0.0, noise=0.01)
    timed = timed.model_copy(update={"yardstick_s": timed.baseline_s})
    kept = kept.model_copy(update={"relative": {timed.label: 1.0}})
    (same,) = across_findings([timed], kept, MACHINE, RUN_TIME)
    assert same.verdict == "pass"
    (slow,) = across_findings(
        [timed], kept.model_copy(update={"relative": {timed.label: 0.5}}), MACHINE, RUN_TIME
    )
    assert slow.verdict == "regression"
    elsewhere = MACHINE.model_copy(update={"processor": "another"})
    (other,) = across_findings([timed], kept, elsewhere, RUN_TIME)
    assert other.verdict == "needs this machine"
    assert MACHINE.processor in other.says


def test_a_row_says_how_much_and_how_sure() -> None:
    (found,) = time_findings([row(slower=0.1, noise=0.01)], RUN_TIME)
    assert found.verdict == "regression"
    assert found.change.startswith("+")
    assert "copies of the baseline differ by" in found.sure
