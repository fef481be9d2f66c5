"""Energy is what a counter says, across its overflow; where there is none, nothing is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.measure import energy, gpu
from bench.measure.energy import energy_meter


def _package(
    root: Path, name: str, microjoules: int, told: str = "package-0", limit: int = 1_000_000
) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{limit}\n")
    (folder / "name").write_text(f"{told}\n")
    return folder


def test_packages_are_added_and_their_parts_left_out(tmp_path: Path) -> None:
    _package(tmp_path, "intel-rapl:0", 400_000)
    _package(tmp_path, "intel-rapl:1", 100_000)
    _package(tmp_path, "intel-rapl:0:0", 300_000, "core")  # the cores of package 0
    _package(tmp_path, "intel-rapl:2", 900_000, "psys")  # the platform, packages included
    meter = energy_meter("cpu", tmp_path)
    assert meter is not None
    assert meter.source.startswith("RAPL")
    assert meter.read_j() == pytest.approx(0.5)


def test_a_counter_that_starts_again_goes_on(tmp_path: Path) -> None:
    folder = _package(tmp_path, "intel-rapl:0", 900_000)
    meter = energy_meter("cpu", tmp_path)
    assert meter is not None
    before = meter.read_j()
    (folder / "energy_uj").write_text("100000\n")
    assert meter.read_j() - before == pytest.approx(0.2)


def test_no_counter_is_no_meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert energy_meter("cpu", tmp_path) is None
    monkeypatch.setattr(energy, "handle", lambda: None)
    assert energy_meter("cuda") is None


def test_a_counter_that_may_not_be_read_is_no_meter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _package(tmp_path, "intel-rapl:0", 1)
    (folder / "energy_uj").write_text("")  # root reads what others may not: a broken one will do
    assert energy_meter("cpu", tmp_path) is None
    monkeypatch.setattr(energy, "handle", lambda: (object(), object()))
    monkeypatch.setattr(gpu, "handle", lambda: (object(), object()))
    assert energy_meter("cuda") is None


def test_a_gpu_counts_in_millijoules(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nvml:
        @staticmethod
        def nvmlDeviceGetTotalEnergyConsumption(device: object) -> int:
            return 2500

    monkeypatch.setattr(energy, "handle", lambda: (Nvml, object()))
    monkeypatch.setattr(gpu, "handle", lambda: (Nvml, object()))
    meter = energy_meter("cuda")
    assert meter is not None
    assert meter.read_j() == 2.5
