"""``python -m bench figures``: what it writes, says and refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.records.store import Store
from bench.suite import load_suite
from tests._helpers.runs_of import keep_run
from tests.bench.conftest import Command

SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 64
threads = 2
device = "cpu"

[[grid]]
models = ["medspectralnet", "resnet18"]
datasets = ["retinamnist"]
seeds = [0]

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""


def test_it_draws_what_there_is_and_says_what_is_missing(
    bench: Command, results: Path, tmp_path: Path
) -> None:
    path, out = tmp_path / "made.toml", tmp_path / "out"
    path.write_text(SUITE)
    said = bench("figures", path, "--output", out)
    assert said.code == 0
    assert said.out.splitlines() == [str(out / "README.md")]
    assert "not drawn: ROC curves: retinamnist: no finished training" in said.err
    keep_run(Store(results), load_suite(str(path)), "resnet18", "retinamnist", 0)
    said = bench("figures", path, "--output", out)
    assert said.code == 0
    assert str(out / "roc-retinamnist.svg") in said.out.splitlines()
    assert "Traceback" not in said.err


def test_changed_predictions_and_another_suites_folder_are_refused_in_a_line(
    bench: Command, results: Path, tmp_path: Path
) -> None:
    path = tmp_path / "breast.toml"
    path.write_text(SUITE)
    said = bench("figures", path)
    assert said.code == 2
    assert "another folder with --output" in said.err
    store = Store(results)
    record = keep_run(store, load_suite(str(path)), "resnet18", "retinamnist", 0)
    store.predictions_path(record.id).write_bytes(b"other")
    said = bench("figures", path, "--output", tmp_path / "out")
    assert said.code == 2
    assert f"{record.id}.json" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


def test_only_the_figures_load_matplotlib_and_they_load_no_torch() -> None:
    code = (
        "import sys, {0}\n"
        "loaded = [name for name in ('torch', 'matplotlib', 'matplotlib.pyplot') "
        "if name in sys.modules]\n"
        "print(*loaded)"
    )
    for module, expected in (
        ("bench.report.tables", ""),
        ("bench.cli.app", ""),
        ("bench.report.page.write", "matplotlib"),  # by way of bench.report.figures.draw
    ):
        command = [sys.executable, "-c", code.format(module)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected, module
