"""What could slow a measurement down, as the machine tells it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from bench.measure import gpu
from bench.records.schema import MachineState

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def machine_state(device: str, governor: Path = GOVERNOR) -> MachineState:
    """The machine's state now; what it does not tell stays empty."""
    told: dict[str, object] = {}
    with contextlib.suppress(OSError):
        told["governor"] = governor.read_text().strip()
    if device == "cuda":
        for key, ask in (
            ("gpu_clock_mhz", gpu.clock_mhz),
            ("gpu_clock_limit_mhz", gpu.clock_limit_mhz),
            ("gpu_throttled", gpu.throttle_reasons),
            ("gpu_other_processes", gpu.other_processes),
        ):
            with contextlib.suppress(Exception):  # a driver that does not tell one thing
                told[key] = ask()
    return MachineState.model_validate(told)


def disturbed(before: MachineState, after: MachineState) -> bool:
    """Whether the GPU was throttled or shared at either end."""
    return any(state.gpu_throttled or state.gpu_other_processes for state in (before, after))
