"""A small suite under controls, its expectations, and records of chosen accuracies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.records.store import Store
from bench.suite import Suite, load_suite
from tests._helpers.records import train

SUITE = """
about = "hand-made"
protocol = "quick"
source_size = 28
image_size = 32
threads = 1
device = "cpu"

[[grid]]
models = ["small"]
datasets = ["phantom-global"]
seeds = [0, 1, 2]
controls = ["none", "soft", "mixed"]

[[grid]]
models = ["small"]
datasets = ["phantom-global"]
seeds = [5, 6, 7]

[control.soft]
kind = "blur"
sigma = 2.0

[control.mixed]
kind = "shuffle"
grid = 4

[model.small]
timm = "test_resnet"

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""

EXPECTED = """
about = "hand-made"
suite = "{suite}"

[[expect]]
dataset = "phantom-global"
control = "mixed"
shows = "worse"
why = "because"

[[expect]]
dataset = "phantom-global"
control = "soft"
shows = "not worse"
why = "because"

[[same]]
dataset = "phantom-global"
first = [0, 1, 2]
second = [5, 6, 7]
"""

NONE, BLUR, SHUFFLE, OTHERS = (90, 92, 91), (91, 91, 92), (50, 53, 51), (91, 90, 92)
Keep = Callable[..., None]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "made.toml"
    path.write_text(SUITE)
    return load_suite(str(path))


@pytest.fixture
def expected_file(tmp_path: Path, suite: Suite) -> Path:
    path = tmp_path / "expected.toml"
    path.write_text(EXPECTED.format(suite=suite.path))
    return path


@pytest.fixture
def keep(results: Path, suite: Suite) -> Keep:
    """Keeps trainings of which so many of 100 test images are right, by control and seed."""

    def kept(
        none: Sequence[int] = NONE,
        blur: Sequence[int] = BLUR,
        shuffle: Sequence[int] = SHUFFLE,
        others: Sequence[int] = OTHERS,
    ) -> None:
        store = Store(results)
        for label, first, rights in (
            (None, 0, none),
            ("blur-2", 0, blur),
            ("shuffle-4", 0, shuffle),
            (None, 5, others),
        ):
            for seed, right in enumerate(rights, start=first):
                train(store, suite, "small", "phantom-global", seed, right, control=label)

    return kept
