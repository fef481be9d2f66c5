"""Axes that say their numbers in full: ticks of a log scale, and how far an axis reaches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

_STEPS = (
    (1.0,),
    (1.0, 3.0),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9),
)


def log_axis(
    axes: Axes,
    which: Literal["x", "y"],
    values: Sequence[float],
    *,
    margin: float = 0.08,
    told: Callable[[float], str] | None = None,
    most: int = 7,
    ticks: Sequence[float] | None = None,
) -> None:
    """A log scale around ``values`` (positive), ticked with plain numbers.

    Args:
        margin: on either side, as a share of the range.
        told: how a tick reads.
        most: ticks at most.
        ticks: where they may stand, in place of round numbers.
    """
    low, high = math.log(min(values)), math.log(max(values))
    room = max(margin * (high - low), 0.12)
    limits = math.exp(low - room), math.exp(high + room)
    axis = axes.xaxis if which == "x" else axes.yaxis
    if which == "x":
        axes.set_xscale("log")
        axes.set_xlim(*limits)
    else:
        axes.set_yscale("log")
        axes.set_ylim(*limits)
    axis.set_major_locator(
        FixedLocator(
            log_ticks(*limits, most=most) if ticks is None else thinned(sorted({*ticks}), most)
        )
    )
    axis.set_minor_locator(NullLocator())
    reads = told or plain_number
    axis.set_major_formatter(FuncFormatter(lambda value, _: reads(value)))
    axis.set_minor_formatter(NullFormatter())


def log_ticks(low: float, high: float, *, least: int = 3, most: int = 7) -> list[float]:
    """Round numbers from ``low`` to ``high``: the coarsest steps that give at least ``least``."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in _STEPS:
        finer = [s * 10.0**d for d in decades for s in steps if low <= s * 10.0**d <= high]
        if len(finer) > most and found:
            break
        found = finer
        if len(found) >= least:
            break
    if len(found) < 2:  # a narrow range: evenly, to the digit that changes in it
        unit = 10.0 ** math.floor(math.log10(high - low))
        places = range(math.ceil(low / unit), math.floor(high / unit) + 1)
        found = [tick for place in places if low <= (tick := place * unit) <= high]
    return thinned(found, most)


def thinned(ticks: Sequence[float], most: int) -> list[float]:
    """Every n-th of them, so that no more than ``most`` are left, the last among them."""
    step = max(1, math.ceil(len(ticks) / most))
    return [*reversed([*reversed(ticks)][::step])]


def plain_number(value: float) -> str:
    """``1,000`` or ``0.05``: no exponent."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.6g}"


def percent_axis(axes: Axes, values: Sequence[float], margin: float = 0.06) -> None:
    """The y axis around ``values``, in percent; at most a little beyond what a share can be."""
    low, high = min(values), max(values)
    room = max(margin * (high - low), 0.5)
    axes.set_ylim(max(low - room, -1.5), min(high + room, 101.5))
    axes.yaxis.set_major_locator(few_ticks(6, integer=True))


def few_ticks(most: int, *, integer: bool = False) -> MaxNLocator:
    """Round numbers, ``most`` at most."""
    return MaxNLocator(nbins=most, integer=integer, steps=[1, 2, 5, 10])
