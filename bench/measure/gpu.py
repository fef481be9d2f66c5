"""What NVML, NVIDIA's own library, says of the GPU; nothing where it or the GPU is missing."""

from __future__ import annotations

import contextlib
import os
from functools import cache
from typing import Any

import torch

HARMLESS = {"GpuIdle", "None", "ApplicationsClocksSetting", "UserDefinedClocks"}
"""Reasons for a lower clock that are no throttling: idleness, and clocks locked on purpose."""


@cache
def handle() -> tuple[Any, Any] | None:
    """NVML and its handle of the current CUDA device, or None."""
    if not torch.cuda.is_available():
        return None
    with contextlib.suppress(Exception):  # no library, no driver, no right: then it tells nothing
        import pynvml

        pynvml.nvmlInit()
        uuid = str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)
        return pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}".encode())
    return None


def query(function: str, *arguments: object) -> Any:
    """Call one of NVML's functions on the device.

    Raises:
        LookupError: there is no NVML here; NVML's own error where it refuses.
    """
    found = handle()
    if found is None:
        raise LookupError("NVML is not here")
    nvml, device = found
    return getattr(nvml, function)(device, *arguments)


def clock_mhz() -> int:
    """The clock of the multiprocessors now."""
    return int(query("nvmlDeviceGetClockInfo", 1))  # NVML_CLOCK_SM


def clock_limit_mhz() -> int:
    """The highest clock they can have."""
    return int(query("nvmlDeviceGetMaxClockInfo", 1))


def throttle_reasons() -> list[str]:
    """Why the clock is held below its limit, by NVML's names."""
    found = handle()
    if found is None:
        raise LookupError("NVML is not here")
    mask = int(query("nvmlDeviceGetCurrentClocksThrottleReasons"))
    start = "nvmlClocksThrottleReason"
    names = [name for name in dir(found[0]) if name.startswith(start)]
    bits = {name.removeprefix(start): getattr(found[0], name) for name in names}
    return sorted(
        name
        for name, bit in bits.items()
        if isinstance(bit, int) and bit.bit_count() == 1 and mask & bit and name not in HARMLESS
    )


def other_processes() -> int:
    """How many other processes compute on the GPU."""
    found = query("nvmlDeviceGetComputeRunningProcesses")
    return sum(process.pid != os.getpid() for process in found)
