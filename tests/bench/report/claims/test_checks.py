"""Each kind of check on known records: it holds, fails, stays open, or is not measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from bench.errors import InputError
from bench.records.store import Store
from bench.report.claims.counts import cost_ratio, fewer, parameters
from bench.report.claims.file import (
    Ablated,
    Accuracy,
    ClassAuc,
    CostRatio,
    Exponents,
    Fewer,
    Gains,
    Parameters,
    Printed,
    Raced,
    Replication,
)
from bench.report.claims.kept import Kept
from bench.report.claims.replication import replication
from bench.report.claims.scores import ablation, accuracy, class_auc, gains
from bench.report.claims.speed import exponents, raced
from bench.report.claims.verdict import Judgement, Outcome
from bench.suite import Suite, load_suite
from bench.toml_file import ROOT
from tests._helpers.records import measure, train

SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 64
threads = 2
device = "cpu"

[[grid]]
models = ["medspectralnet", "medspectralnet_local_stream", "resnet18"]
datasets = ["breastmnist"]
seeds = [0, 1, 2]

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""
AFRIN = Printed(model="MedSpectralNet", source="Afrin")


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "made.toml"
    path.write_text(SUITE)
    return load_suite(str(path))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def keep(store: Store, suite: Suite, model: str, rights: list[int]) -> None:
    for seed, right in enumerate(rights):
        train(store, suite, model, "breastmnist", seed, right)


def judged_ablation(store: Store, suite: Suite, **changes: Any) -> Judgement:
    check = {
        "kind": "ablation",
        "suite": str(suite.path),
        "full": "medspectralnet",
        "ablated": "medspectralnet_local_stream",
        "datasets": ["breastmnist"],
        "score": "acc",
        "expected": "helps",
        "margin": 0.01,
    }
    return ablation(Ablated.model_validate(check | changes), Kept(store.root))


@pytest.mark.parametrize(
    ("full", "ablated", "expected", "outcome"),
    [
        ([80, 81, 82], [70, 72, 71], "helps", Outcome.HOLDS),
        ([70, 72, 71], [80, 81, 82], "helps", Outcome.FAILS),
        ([80, 70, 90], [79, 75, 80], "helps", Outcome.OPEN),
        ([80, 81, 82], [80, 81, 82], "costs nothing", Outcome.OPEN),  # no spread to use
        ([70, 72, 71], [80, 81, 82], "costs nothing", Outcome.FAILS),
        ([80, 70, 90], [79, 75, 80], "costs nothing", Outcome.OPEN),
    ],
)
def test_an_ablation_is_judged_by_the_interval_over_paired_seeds(
    store: Store,
    suite: Suite,
    full: list[int],
    ablated: list[int],
    expected: str,
    outcome: Outcome,
) -> None:
    keep(store, suite, "medspectralnet", full)
    keep(store, suite, "medspectralnet_local_stream", ablated)
    assert judged_ablation(store, suite, expected=expected).outcome is outcome


def test_an_ablation_costs_nothing_where_the_interval_lies_within_the_margin(
    store: Store, suite: Suite
) -> None:
    keep(store, suite, "medspectralnet", [80, 81, 82])
    keep(store, suite, "medspectralnet_local_stream", [80, 81, 81])
    wide = judged_ablation(store, suite, expected="costs nothing", margin=0.02)
    narrow = judged_ablation(store, suite, expected="costs nothing", margin=0.01)
    assert (wide.outcome, narrow.outcome) == (Outcome.HOLDS, Outcome.OPEN)


def test_an_open_ablation_says_how_wide_its_interval_is_and_links_every_record(
    store: Store, suite: Suite
) -> None:
    keep(store, suite, "medspectralnet", [80, 70, 90])
    keep(store, suite, "medspectralnet_local_stream", [79, 75, 80])
    found = judged_ablation(store, suite)
    half = stats.t.ppf(0.975, 2) * 7.549834435270750 / 3**0.5  # sd of 1, -5, 10
    assert f"{2 - half:.1f} to {2 + half:.1f}, holds 0" in found.reason
    assert f"{2 * half:.1f} points wide, from 3 seeds" in found.reason
    wanted = next(  # seeds whose half interval is below the mean of 2 points
        n for n in range(4, 999) if stats.t.ppf(0.975, n - 1) * 7.549834435270750 / n**0.5 < 2
    )
    assert f"{wanted} seeds in all would support it" in found.reason
    (acc, auc) = found.evidence
    assert acc.value == f"+2.0 [{2 - half:+.1f}, {2 + half:+.1f}] points"
    assert auc.what.startswith("AUC")
    assert {link.path for link in acc.links} == set(store.folder.glob("*.json"))


def replicated(store: Store, suite: Suite, **changes: Any) -> Judgement:
    check = {
        "kind": "replication",
        "suite": str(suite.path),
        "model": "resnet18",
        "dataset": "breastmnist",
        "printed": {"model": "ResNet-18 (28)", "source": "Yang"},  # ACC 0.863, AUC 0.901
        "within_acc": 0.03,
        "within_auc": 1.0,
    }
    return replication(Replication.model_validate(check | changes), Kept(store.root))


@pytest.mark.parametrize(
    ("rights", "outcome", "off"),
    [([86, 87, 88], Outcome.HOLDS, "+0.7"), ([80, 83, 86], Outcome.FAILS, "-3.3")],
)
def test_a_replication_is_judged_by_the_distance_of_the_mean_from_the_printed_score(
    store: Store, suite: Suite, rights: list[int], outcome: Outcome, off: str
) -> None:
    keep(store, suite, "resnet18", rights)
    found = replicated(store, suite)
    assert found.outcome is outcome
    assert f"ACC is {off} points off" in found.reason
    assert [one.value for one in found.evidence[:2]] == ["0.863", "0.901"]


def test_a_replication_fails_where_auc_alone_is_too_far(store: Store, suite: Suite) -> None:
    keep(store, suite, "resnet18", [86, 87, 88])
    found = replicated(store, suite, within_auc=0.0)
    assert found.outcome is Outcome.FAILS
    assert "within 3; AUC" in found.reason


def test_a_replication_asks_for_every_seed_and_for_a_printed_row(
    store: Store, suite: Suite
) -> None:
    keep(store, suite, "resnet18", [86, 87])
    assert replicated(store, suite).outcome is Outcome.ABSENT
    with pytest.raises(InputError, match="0 rows"):
        replicated(store, suite, printed={"model": "ResNet-18 (28)", "source": "Nobody"})


@pytest.mark.parametrize(
    ("on_cpu", "outcome", "said"),
    [
        ([86, 87, 88], Outcome.OPEN, "The devices disagree. On cpu, float32: ACC is +0.7"),
        ([80, 83, 85], Outcome.FAILS, "On cpu, float32: ACC is -3.6"),
        ([86, 87], Outcome.FAILS, "ACC is -3.3"),  # not whole, and no way out of a miss
    ],
)
def test_a_replication_on_two_kinds_of_device_is_judged_on_each(
    store: Store, suite: Suite, on_cpu: list[int], outcome: Outcome, said: str
) -> None:
    suite.path.write_text(SUITE.replace('"cpu"', '"auto"'))
    anywhere = load_suite(str(suite.path))
    for seed, right in enumerate([80, 83, 86]):
        train(store, anywhere, "resnet18", "breastmnist", seed, right, device="cuda")
    keep(store, anywhere, "resnet18", on_cpu)
    found = replicated(store, anywhere)
    assert (found.outcome, said in found.reason) == (outcome, True)


def test_two_seeds_of_three_are_not_judged(store: Store, suite: Suite) -> None:
    keep(store, suite, "medspectralnet", [80, 81, 82])
    keep(store, suite, "medspectralnet_local_stream", [70, 72])
    found = judged_ablation(store, suite)
    assert found.outcome is Outcome.ABSENT
    assert "medspectralnet_local_stream on breastmnist, seed 2: no finished run" in found.reason
    assert "model=medspectralnet,model=medspectralnet_local_stream" in found.command


def test_a_damaged_record_or_changed_predictions_are_not_judged(store: Store, suite: Suite) -> None:
    keep(store, suite, "medspectralnet", [80, 81, 82])
    keep(store, suite, "medspectralnet_local_stream", [70, 72, 71])
    assert judged_ablation(store, suite).outcome is Outcome.HOLDS
    first = sorted(store.folder.glob("*.json"))[0]
    whole = first.read_text()
    first.write_text(whole[: len(whole) // 2])
    found = judged_ablation(store, suite)
    assert found.outcome is Outcome.ABSENT
    assert f"damaged records: {first.name}" in found.reason
    first.write_text(whole)
    predictions = first.with_suffix(".npz")
    predictions.write_bytes(predictions.read_bytes()[:-1] + b"x")
    found = judged_ablation(store, suite)
    assert found.outcome is Outcome.ABSENT
    assert "predictions gone or changed" in found.reason


@pytest.mark.parametrize(
    ("rights", "outcome"),
    [
        ([94, 95, 94], Outcome.HOLDS),
        ([80, 81, 80], Outcome.FAILS),
        ([93, 96, 90], Outcome.OPEN),
        ([94, 95], Outcome.ABSENT),
    ],
)
def test_an_accuracy_is_judged_by_its_mean_over_seeds(
    store: Store, suite: Suite, rights: list[int], outcome: Outcome
) -> None:
    keep(store, suite, "medspectralnet", rights)
    check = Accuracy(
        kind="accuracy",
        suites=[str(suite.path)],
        model="medspectralnet",
        dataset="breastmnist",
        printed=0.937,
        margin=0.01,
    )
    assert accuracy(check, Kept(store.root)).outcome is outcome


def test_a_gain_is_relative_to_the_rival(store: Store, suite: Suite) -> None:
    keep(store, suite, "medspectralnet", [88, 89, 88])
    keep(store, suite, "resnet18", [80, 80, 80])
    check = Gains(
        kind="relative-gains",
        suites=[str(suite.path)],
        model="medspectralnet",
        rivals=["resnet18"],
        datasets=["breastmnist"],
        low=0.01,
    )
    found = gains(check, Kept(store.root))
    assert found.outcome is Outcome.HOLDS
    assert found.evidence[0].value == "+10.4 [+8.6, +12.2] percent"
    harder = check.model_copy(update={"low": 0.13})
    assert gains(harder, Kept(store.root)).outcome is Outcome.FAILS


def test_classes_that_reach_an_auc_are_counted(store: Store, suite: Suite) -> None:
    check = ClassAuc(
        kind="class-auc",
        suites=[str(suite.path)],
        model="medspectralnet",
        datasets=["breastmnist"],
        printed=0.999,
        classes=2,
    )
    assert class_auc(check, Kept(store.root)).outcome is Outcome.ABSENT
    keep(store, suite, "medspectralnet", [100, 100, 100])  # both classes at 1
    assert class_auc(check, Kept(store.root)).outcome is Outcome.HOLDS
    keep(store, suite, "medspectralnet", [100, 100, 80])
    assert class_auc(check, Kept(store.root)).outcome is Outcome.FAILS


@pytest.mark.parametrize(
    ("params", "within", "outcome"),
    [
        (8_584_999, 0.01, Outcome.HOLDS),
        (8_585_001, 0.01, Outcome.FAILS),
        (8_549_999, None, Outcome.HOLDS),
        (8_550_001, None, Outcome.FAILS),
    ],
)
def test_parameters_are_held_to_a_tolerance_or_to_rounding(
    store: Store, suite: Suite, params: int, within: float | None, outcome: Outcome
) -> None:
    measure(store, suite, "medspectralnet", params=params)
    check = Parameters(
        kind="parameters",
        suite=str(suite.path),
        model="medspectralnet",
        printed=AFRIN,
        within=within,
    )
    assert parameters(check, Kept(store.root)).outcome is outcome


def test_fewer_is_arithmetic_on_the_printed_numbers(store: Store) -> None:
    tiny = Printed(model="MedMamba-T", source="Afrin")
    check = Fewer(kind="percent-fewer", smaller=AFRIN, larger=tiny, percent=60.0, within_points=5.0)
    found = fewer(check, Kept(store.root))
    assert found.outcome is Outcome.FAILS
    assert "41.4 % fewer" in found.reason
    right = check.model_copy(update={"percent": 41.0})
    assert fewer(right, Kept(store.root)).outcome is Outcome.HOLDS


@pytest.mark.parametrize("model", ["Nobody", "MedMamba-S"])
def test_a_printed_number_that_is_not_one_is_an_error(store: Store, model: str) -> None:
    with pytest.raises(InputError, match="different numbers"):
        Kept(store.root).printed(Printed(model=model, source=""), "params_m")


@pytest.mark.parametrize(
    ("rival", "outcome"),
    [
        ((50.0, 45.0, 55.0), Outcome.HOLDS),
        ((200.0, 180.0, 220.0), Outcome.FAILS),
        ((105.0, 95.0, 115.0), Outcome.OPEN),
    ],
)
def test_a_ratio_of_speeds_is_as_wide_as_both_intervals_allow(
    store: Store, suite: Suite, rival: tuple[float, float, float], outcome: Outcome
) -> None:
    measure(store, suite, "medspectralnet", speed=(100.0, 90.0, 110.0))
    measure(store, suite, "resnet18", speed=rival, macs=300)
    check = CostRatio(
        kind="cost-ratio",
        suite=str(suite.path),
        model="medspectralnet",
        rival="resnet18",
        quantity="images/s",
        wanted="above 1",
    )
    found = cost_ratio(check, Kept(store.root))
    assert found.outcome is outcome
    assert f"[{90 / rival[2]:.2f}, {110 / rival[1]:.2f}]" in found.evidence[0].value
    computed = check.model_copy(update={"quantity": "MACs", "wanted": "below 1"})
    assert cost_ratio(computed, Kept(store.root)).outcome is Outcome.HOLDS
    absent = check.model_copy(update={"rival": "medspectralnet_local_stream"})
    assert cost_ratio(absent, Kept(store.root)).outcome is Outcome.ABSENT


def test_machines_that_disagree_decide_nothing(store: Store, suite: Suite) -> None:
    for machine, rival in (("one", (50.0, 45.0, 55.0)), ("other", (200.0, 190.0, 210.0))):
        measure(store, suite, "medspectralnet", speed=(100.0, 90.0, 110.0), machine=machine)
        measure(store, suite, "resnet18", speed=rival, machine=machine)
    check = CostRatio(
        kind="cost-ratio",
        suite=str(suite.path),
        model="medspectralnet",
        rival="resnet18",
        quantity="images/s",
        wanted="above 1",
    )
    found = cost_ratio(check, Kept(store.root))
    assert found.outcome is Outcome.OPEN
    assert "The machines disagree" in found.reason
    assert len(found.evidence) == 2


EXPONENTS = Exponents(
    kind="exponents",
    races="medspectralnet",
    scaling="time against pixels, batch 1",
    model="medspectralnet",
    at_most=1.0,
)


def with_exponent(store: Store, low: float, high: float) -> Kept:
    """The committed races, the second span's interval replaced."""
    record = json.loads((ROOT / "results" / "races" / "medspectralnet.json").read_text())
    found = [e for e in record["scaling"][0]["exponents"] if e["label"] == "medspectralnet"]
    found[1] |= {"low": low, "high": high}
    path = store.root / "races" / "medspectralnet.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))
    return Kept(store.root)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [(0.9, 0.95, Outcome.HOLDS), (1.1, 1.2, Outcome.FAILS), (0.9, 1.1, Outcome.OPEN)],
)
def test_growth_is_judged_over_every_span(
    store: Store, low: float, high: float, outcome: Outcome
) -> None:
    assert exponents(EXPONENTS, with_exponent(store, low, high)).outcome is outcome


def test_races_that_are_not_there_or_damaged_are_not_measured(store: Store) -> None:
    check = Raced(kind="race", races="gpu", race="r", rival="x", command="make gpu")
    found = raced(check, Kept(store.root))
    assert (found.outcome, found.command) == (Outcome.ABSENT, "make gpu")
    with_exponent(store, 0.9, 0.95)
    path = store.root / "races" / "medspectralnet.json"
    path.write_text(re.sub('"small": 224', '"small": "x"', path.read_text(), count=1))
    found = exponents(EXPONENTS, Kept(store.root))
    assert found.outcome is Outcome.ABSENT
    assert "damaged" in found.reason
