"""Text before it is drawn: its size, and names that fit."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from bench.report.figures.fonts import families, printable

_DPI = 720  # of measuring; fine enough for a hundredth of a point


@lru_cache(maxsize=1)
def _renderer() -> RendererAgg:
    return RendererAgg(8, 8, _DPI)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4096)
def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Inches that a line of text takes; ``size`` in points."""
    font = FontProperties(family=[*families()], size=size, weight=weight)
    pen = _renderer()
    width, _, _ = pen.get_text_width_height_descent(text, font, False)  # type: ignore[no-untyped-call]
    return float(width) / _DPI


def shortened(text: str, inches: float, size: float, weight: str = "normal") -> str:
    """The text, cut in its middle where it is too long: both ends tell names apart."""
    whole = printable(text)
    if width_of(whole, size, weight) <= inches:
        return whole
    for kept in range(len(whole) - 1, 1, -1):
        head = (kept + 1) // 2
        cut = f"{whole[:head]}…{whole[len(whole) - (kept - head) :]}"
        if width_of(cut, size, weight) <= inches:
            return cut
    return "…"


def told_apart(
    texts: Sequence[str], numbers: Sequence[int], inches: float, size: float, weight: str
) -> list[str]:
    """Each text ``shortened``; two that differ and would look alike have their numbers before."""
    short = [shortened(text, inches, size, weight) for text in texts]
    alike = Counter(dict(zip(texts, short, strict=True)).values())
    return [
        shortened(f"{number}: {text}", inches, size, weight) if alike[cut] > 1 else cut
        for text, number, cut in zip(texts, numbers, short, strict=True)
    ]


def wrapped(text: str, inches: float, size: float, lines: int = 2, weight: str = "normal") -> str:
    """A name over at most ``lines`` lines, broken after ``_``, ``-`` or a blank where it can be."""
    rest, done = printable(text), list[str]()
    while rest and len(done) < lines - 1 and width_of(rest, size, weight) > inches:
        fitting = max(
            (n for n in range(1, len(rest)) if width_of(rest[:n], size, weight) <= inches),
            default=1,
        )
        breaks = [n for n in range(1, fitting + 1) if rest[n - 1] in "_- "]
        cut = breaks[-1] if breaks else fitting
        done.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return "\n".join([*done, shortened(rest, inches, size, weight)])


def paragraph(text: str, inches: float, size: float) -> list[str]:
    """Prose in lines that fit."""
    average = width_of("abcdefghijklmnopqrstuvwxyz etaoin", size) / 33
    lines = textwrap.wrap(printable(text), max(10, int(inches / average)))
    return [shortened(line, inches, size) for line in lines]
