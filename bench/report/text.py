"""How numbers look: rounded here and nowhere else."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence

BLANK = "–"
_TAG = re.compile(r"<(?=[A-Za-z/!?])")  # what Markdown takes for HTML


def percent(values: Sequence[float]) -> str:
    """``87.2 ± 1.3`` (mean and sample standard deviation), ``87.2`` for one value, in percent."""
    if not values:
        return BLANK
    mean = f"{100 * statistics.fmean(values):.1f}"
    return f"{mean} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else mean


def points(values: Sequence[float]) -> str:
    """Differences in percentage points, always with a sign."""
    if not values:
        return BLANK
    mean = f"{100 * statistics.fmean(values):+.1f}".replace("-0.0", "+0.0")
    return f"{mean} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else mean


def millions(count: int) -> str:
    """``8.49`` for 8,493,121."""
    return f"{count / 1e6:.2f}"


def giga(count: int) -> str:
    """Three significant digits of a count in 10⁹, so that a tiny network is not 0.0."""
    value = count / 1e9
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def rate(per_second: float) -> str:
    """Three significant digits, no exponent."""
    return f"{per_second:.0f}" if per_second >= 100 else f"{per_second:.3g}"


def milliseconds(seconds: float) -> str:
    """Three significant digits in ms."""
    return f"{1000 * seconds:.3g}"


def published_percent(printed: str) -> str:
    """A published fraction as percent, with as many digits as were printed."""
    if not printed:
        return BLANK
    digits = max(len(printed.partition(".")[2]) - 2, 0)
    return f"{100 * float(printed):.{digits}f}"


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def escape(text: str) -> str:
    """Text that stays in its cell of a Markdown table, and is no HTML there."""
    return _TAG.sub(r"\\<", " ".join(text.split())).replace("|", r"\|")


def duration(seconds: float | None) -> str:
    """``1 h 05 min``, ``3 min 20 s``, ``12 s``; ``unknown`` for None."""
    if seconds is None:
        return "unknown"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
