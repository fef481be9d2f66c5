"""How an interval looks in a cell."""

from __future__ import annotations

from bench.report.text import BLANK
from bench.statistics.intervals import IntervalEstimate


def interval_points(found: IntervalEstimate | None) -> str:
    """``-12.5 [-15.0, -10.0]`` in points; where there is no value or no interval, why."""
    if found is None or found.value is None:
        return BLANK if found is None or found.blank is None else f"{BLANK} ({found.blank})"
    mean = signed_points(found.value)
    if found.low is None or found.high is None:
        return f"{mean} ({found.blank})"
    return f"{mean} [{signed_points(found.low)}, {signed_points(found.high)}]"


def signed_points(share: float) -> str:
    """``+1.3`` points for 0.0128; never a negative zero."""
    return f"{100 * share:+.1f}".replace("-0.0", "+0.0")
