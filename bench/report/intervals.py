"""How an interval looks in a cell."""

from __future__ import annotations

from bench.report.text import BLANK
from bench.statistics.intervals import IntervalEstimate


def interval_points(found: IntervalEstimate | None) -> str:
    """``-12.5 [-15.0, -10.0]`` in points; where there is no value or no interval, why."""
    if found is None or found.value is None:
        return BLANK if found is None or found.blank is None else f"{BLANK} ({found.blank})"
    mean = f"{100 * found.value:+.1f}"
    if found.low is None or found.high is None:
        return f"{mean} ({found.blank})"
    return f"{mean} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
