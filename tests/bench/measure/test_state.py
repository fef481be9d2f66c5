"""The machine's state as it tells it: a planted governor, a planted NVML, and neither."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.measure import gpu
from bench.measure.state import disturbed, machine_state
from bench.records.schema import MachineState


class _Nvml:
    """NVML of a throttled GPU that another process shares."""

    nvmlClocksThrottleReasonGpuIdle = 1
    nvmlClocksThrottleReasonSwPowerCap = 4
    nvmlClocksThrottleReasonHwSlowdown = 8
    nvmlClocksThrottleReasonAll = 13

    @staticmethod
    def nvmlDeviceGetClockInfo(device: object, kind: int) -> int:
        return 1200

    @staticmethod
    def nvmlDeviceGetMaxClockInfo(device: object, kind: int) -> int:
        return 1980

    @staticmethod
    def nvmlDeviceGetCurrentClocksThrottleReasons(device: object) -> int:
        return 1 + 4

    @staticmethod
    def nvmlDeviceGetComputeRunningProcesses(device: object) -> list[SimpleNamespace]:
        return [SimpleNamespace(pid=os.getpid()), SimpleNamespace(pid=1)]


def test_a_cpu_tells_its_governor_or_nothing(tmp_path: Path) -> None:
    governor = tmp_path / "scaling_governor"
    assert machine_state("cpu", governor) == MachineState()
    governor.write_text("performance\n")
    assert machine_state("cpu", governor) == MachineState(governor="performance")


def test_a_gpu_tells_clocks_throttling_and_company(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "handle", lambda: (_Nvml, object()))
    state = machine_state("cuda", tmp_path / "none")
    assert (state.gpu_clock_mhz, state.gpu_clock_limit_mhz) == (1200, 1980)
    assert state.gpu_throttled == ["SwPowerCap"]  # idleness is no throttling
    assert state.gpu_other_processes == 1
    assert disturbed(MachineState(), state)
    assert not disturbed(MachineState(), MachineState(gpu_clock_mhz=1200))


def test_a_gpu_without_nvml_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "handle", lambda: None)
    assert machine_state("cuda", tmp_path / "none") == MachineState()
