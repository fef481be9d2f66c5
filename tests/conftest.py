"""What every test stands on: the data root, and no skipping of real data where it is at hand."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

# As bench/__main__.py has it, before anything loads OpenMP: threads that wait sleep soon.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
os.environ["BENCH_CACHE"] = ""  # tests keep nothing in anyone's home

import torch

if not torch.cuda.is_available():
    # The GPU's kernels run in Triton's interpreter; read when Triton is imported, as timm does.
    os.environ.setdefault("TRITON_INTERPRET", "1")

REAL = ("breastmnist", "pneumoniamnist", "retinamnist")


@pytest.fixture
def medmnist_root() -> Path:
    """The folder with the real files, or the test is skipped by name."""
    root = os.environ.get("MEDMNIST_ROOT")
    if not root or not all((Path(root) / f"{name}.npz").is_file() for name in REAL):
        pytest.skip("MEDMNIST_ROOT does not name a folder with " + ", ".join(REAL))
    return Path(root)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REQUIRE_REAL_DATA set, a real-data test that is skipped has failed."""
    report = yield
    required = os.environ.get("REQUIRE_REAL_DATA") and item.get_closest_marker("real_data")
    if report.skipped and required:
        report.outcome = "failed"
        report.longrepr = f"real data is at hand, yet {item.nodeid} was skipped"
    return report
