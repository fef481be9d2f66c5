"""Energy as the machine itself counts it: NVML on NVIDIA's GPUs, RAPL on CPUs; never estimated."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measure.gpu import handle, query

POWERCAP = Path("/sys/class/powercap")
_TOP = re.compile(r"^intel-rapl:\d+$")  # the parts of a package are below it


@dataclass(frozen=True)
class EnergyMeter:
    """A counter of joules.

    Attributes:
        source: what tells it, for people.
        read_j: joules since some moment in the past; it covers all that runs on the device.
    """

    source: str
    read_j: Callable[[], float]


def energy_meter(device: str, powercap: Path = POWERCAP) -> EnergyMeter | None:
    """This machine's counter for the device; None where it has none that may be read."""
    meter = _nvml() if device == "cuda" else _rapl(powercap)
    if meter is None:
        return None
    try:
        meter.read_j()
    except Exception:  # whatever a driver says to a reader without the right: there is no counter
        return None
    return meter


def _nvml() -> EnergyMeter | None:
    if handle() is None:
        return None

    def read_j() -> float:
        return float(query("nvmlDeviceGetTotalEnergyConsumption")) / 1000  # mJ

    return EnergyMeter("NVML, the GPU", read_j)


def _rapl(powercap: Path) -> EnergyMeter | None:
    folders = [p for p in sorted(powercap.glob("intel-rapl:*")) if _is_package(p)]
    counters = [_Counter(folder) for folder in folders if (folder / "energy_uj").is_file()]
    if not counters:
        return None
    return EnergyMeter("RAPL, the CPU's packages", lambda: sum(c.read_uj() for c in counters) / 1e6)


def _is_package(folder: Path) -> bool:
    """Not ``psys``, the whole platform, which holds the packages once more."""
    name = folder / "name"
    return bool(_TOP.match(folder.name)) and (
        not name.is_file() or name.read_text().startswith("package")
    )


class _Counter:
    """One package's counter, which starts again at 0 after its largest value."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "energy_uj"
        limit = folder / "max_energy_range_uj"
        self._range = int(limit.read_text()) if limit.is_file() else 2**32
        self._last: int | None = None
        self._turns = 0

    def read_uj(self) -> int:
        now = int(self._file.read_text())
        if self._last is not None and now < self._last:
            self._turns += 1
        self._last = now
        return now + self._turns * self._range
