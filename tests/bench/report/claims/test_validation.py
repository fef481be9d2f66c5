"""The check against peers: on validation, over data sets, by paired seeds, power beside it."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from bench.records.store import Store
from bench.report.claims.file import Validation
from bench.report.claims.kept import Kept
from bench.report.claims.validation import validation
from bench.report.claims.verdict import Judgement, Outcome
from bench.report.collect import training_of
from bench.suite import Suite, load_suite
from tests._helpers.records import train

SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 32
threads = 2
device = "cpu"

[[grid]]
models = ["medspectralnet", "resnet18", "starnet_s4"]
datasets = ["breastmnist", "pneumoniamnist"]
seeds = [0, 1, 2]

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
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def keep(store: Store, suite: Suite, model: str, rights: list[int]) -> list[float]:
    """Runs of three seeds on both data sets; their mean validation AUC by seed."""
    means = []
    for seed, right in enumerate(rights):
        found = [
            train(store, suite, model, dataset, seed, 50, val_right=right + more)
            for dataset, more in (("breastmnist", 0), ("pneumoniamnist", 2))
        ]
        means.append(statistics.fmean(training_of(r).val.auc or 0.0 for r in found))
    return means


def judged(store: Store, suite: Suite, **changes: Any) -> Judgement:
    check = {
        "kind": "validation",
        "suite": str(suite.path),
        "model": "medspectralnet",
        "rivals": ["resnet18", "starnet_s4"],
        "most_params_m": 15,
        "datasets": ["breastmnist", "pneumoniamnist"],
        "margin": 0.01,
    }
    return validation(Validation.model_validate(check | changes), Kept(store.root))


@pytest.mark.parametrize(
    ("ours", "outcome"),
    [
        ([30, 31, 30], Outcome.HOLDS),
        ([20, 21, 20], Outcome.FAILS),
        ([20, 30, 24], Outcome.OPEN),
    ],
)
def test_the_network_is_held_to_the_best_of_its_peers(
    store: Store, suite: Suite, ours: list[int], outcome: Outcome
) -> None:
    keep(store, suite, "medspectralnet", ours)
    keep(store, suite, "resnet18", [25, 25, 25])
    keep(store, suite, "starnet_s4", [10, 11, 10])
    found = judged(store, suite)
    assert found.outcome is outcome
    assert "The best peer is resnet18." in found.reason
    assert [e.what.split()[5] for e in found.evidence] == ["resnet18,", "starnet_s4,"]
    assert len(found.evidence[0].links) == 12


def test_the_difference_is_of_means_over_data_sets_by_seed_with_its_power(
    store: Store, suite: Suite
) -> None:
    ours = keep(store, suite, "medspectralnet", [30, 26, 28])
    theirs = keep(store, suite, "resnet18", [25, 25, 25])
    gaps = [100 * (a - b) for a, b in zip(ours, theirs, strict=True)]
    half = stats.t.ppf(0.975, 2) * statistics.stdev(gaps) / 3**0.5
    mean = statistics.fmean(gaps)
    noncentral = stats.nct(2, 1.0 / (statistics.stdev(gaps) / 3**0.5))
    power = 1 - noncentral.cdf(stats.t.ppf(0.975, 2))
    (found,) = judged(store, suite, rivals=["resnet18"]).evidence
    interval = f"[{mean - half:+.1f}, {mean + half:+.1f}]"
    assert found.value == f"{mean:+.1f} {interval} points, power {power:.2f}"


def test_a_seed_that_is_missing_or_a_peer_too_large_is_not_judged(
    store: Store, suite: Suite
) -> None:
    keep(store, suite, "medspectralnet", [30, 31, 30])
    keep(store, suite, "resnet18", [25, 25, 25])
    found = judged(store, suite)
    assert found.outcome is Outcome.ABSENT
    assert "model=starnet_s4" in found.command
    found = judged(store, suite, rivals=["resnet18"], most_params_m=8)  # records say 8.5 M
    assert found.outcome is Outcome.ABSENT
    assert found.reason == "not peers of its size: resnet18: more than 8 M parameters"
