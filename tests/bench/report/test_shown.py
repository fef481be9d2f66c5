"""The sentence that says what a suite's trained numbers stand on."""

from __future__ import annotations

from pathlib import Path

from bench.records.store import Store
from bench.report.collect import collect
from bench.report.shown import what_is_shown
from bench.suite import load_suite
from tests._helpers.records import train

SUITE = """
about = "x"
protocol = "small"
source_size = 28
image_size = 64
threads = 2

[[grid]]
models = ["resnet18"]
datasets = ["breastmnist", "retinamnist"]
seeds = [0]

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""


def test_how_many_test_images_a_score_is_over(tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(SUITE)
    suite, store = load_suite(str(tmp_path / "two.toml")), Store(tmp_path / "results")
    assert "images" not in what_is_shown(collect(suite, [])).split(". ")[0]
    train(store, suite, "resnet18", "retinamnist", 0, 70)
    assert "; seeds: 0; 100 test images of retinamnist; cpu, float32." in what_is_shown(
        collect(suite, store.all())
    )
    train(store, suite, "resnet18", "breastmnist", 0, 70)
    told = what_is_shown(collect(suite, store.all()))
    assert "; test images: breastmnist 100, retinamnist 100; cpu, float32." in told


def test_seeds_are_those_that_are_shown(tmp_path: Path) -> None:
    (tmp_path / "three.toml").write_text(SUITE.replace("[0]", "[0, 1, 2]"))
    suite, store = load_suite(str(tmp_path / "three.toml")), Store(tmp_path / "results")
    assert "; seeds: none (asked for: 0, 1, 2)." in what_is_shown(collect(suite, []))
    train(store, suite, "resnet18", "breastmnist", 1, 70)
    assert "; seeds: 1 (asked for: 0, 1, 2); 100" in what_is_shown(collect(suite, store.all()))
    for seed in (0, 2):
        train(store, suite, "resnet18", "breastmnist", seed, 70)
    assert "; seeds: 0, 1, 2; 100 test" in what_is_shown(collect(suite, store.all()))
