"""What else the machine was doing while something was timed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import psutil

IDLE_ABOVE = 0.2  # busy share of the processors before or after, above which a timing is noisy
OTHERS_ABOVE = 0.1  # the same of other processes, during
_WINDOW_S = 0.2


@dataclass(frozen=True)
class Load:
    """Busy shares of the machine's processors, 0 to 1.

    Attributes:
        before: just before the timing, this process waiting.
        after: just after it, this process waiting.
        others: of all other processes, during the timing.
    """

    before: float
    after: float
    others: float

    @property
    def noisy(self) -> bool:
        return max(self.before, self.after) > IDLE_ABOVE or self.others > OTHERS_ABOVE


class LoadWatch:
    """Watches from its making until ``stop``."""

    def __init__(self) -> None:
        self._before = _busy_share()
        self._busy_s, self._own_s, self._start = _busy_seconds(), _own_seconds(), time.monotonic()

    def stop(self) -> Load:
        wall_s = max(time.monotonic() - self._start, 1e-9)
        others_s = (_busy_seconds() - self._busy_s) - (_own_seconds() - self._own_s)
        others = max(0.0, others_s / wall_s / _processors())
        return Load(before=self._before, after=_busy_share(), others=min(1.0, others))


def _busy_share() -> float:
    return float(psutil.cpu_percent(interval=_WINDOW_S)) / 100


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    waiting = times.idle + getattr(times, "iowait", 0.0)
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # in user and nice too
    return float(sum(times) - waiting - guest)


def _own_seconds() -> float:
    own = psutil.Process().cpu_times()
    return float(own.user + own.system)


def _processors() -> int:
    return psutil.cpu_count() or os.cpu_count() or 1
