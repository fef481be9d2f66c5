"""How numbers of verdicts look: points with a sign, p values, and plain decimals for CSV."""

from __future__ import annotations

from bench.report.text import BLANK
from bench.statistics.intervals import IntervalEstimate


def point(value: float | None) -> str:
    """``+1.28`` points for 0.0128."""
    return BLANK if value is None else f"{100 * value:+.2f}".replace("-0.00", "+0.00")


def with_interval(estimate: IntervalEstimate) -> str:
    """``+1.28 [-0.40, +2.96]`` points; the value alone where it has no interval."""
    if estimate.low is None or estimate.high is None:
        return point(estimate.value)
    return f"{point(estimate.value)} {between(estimate)}"


def between(estimate: IntervalEstimate) -> str:
    """``[-0.40, +2.96]`` points."""
    if estimate.low is None or estimate.high is None:
        return BLANK
    return f"[{point(estimate.low)}, {point(estimate.high)}]"


def p_value(p: float | None) -> str:
    """Three decimals."""
    if p is None:
        return BLANK
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def decimal(value: float | None, scale: float = 1.0) -> str:
    """Four significant digits, for CSV."""
    return BLANK if value is None else f"{scale * value:.4g}"
