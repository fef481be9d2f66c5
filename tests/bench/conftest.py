"""A throw-away suite of tiny models, and the command line run in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

TINY_SUITE = """
about = "tiny"
protocol = "tiny.toml"
source_size = 28
image_size = 32
channels = 1
device = "cpu"
precision = "float32"
threads = 1

[[grid]]
models = ["medspectralnet", "small"]
datasets = ["phantom-joint"]
seeds = [0, 1]

[[grid]]
models = ["small"]
datasets = ["phantom-joint"]
seeds = [0]
controls = ["soft"]

[control.soft]
kind = "blur"
sigma = 2.0

[model.medspectralnet]
timm = "test_medspectralnet"

[model.small]
timm = "test_resnet"

[dataset.phantom-joint]
options = { n_train = 32, n_val = 32, n_test = 32 }

[cost]
num_classes = 4
batch_size = 2
seconds_per_model = 0.2
"""

TINY_PROTOCOL = """
about = "one epoch"
source = "this test"
epochs = 1
batch_size = 16
select = "auc"

[optimizer]
name = "adamw"
lr = 1e-3
"""


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty results folder of the test's own."""
    folder = tmp_path / "results"
    monkeypatch.setenv("BENCH_RESULTS", str(folder))
    return folder


@pytest.fixture
def suite_file(tmp_path: Path) -> Path:
    """A suite of five runs that train in seconds."""
    (tmp_path / "tiny.toml").write_text(TINY_PROTOCOL)
    path = tmp_path / "mine.toml"
    path.write_text(TINY_SUITE)
    return path


@pytest.fixture
def bench(
    results: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """``bench("run", path)`` as the command line would, with its exit code and output."""

    def command(*arguments: str | Path) -> Said:
        from bench.cli import main

        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, captured.out, captured.err)

    return command
