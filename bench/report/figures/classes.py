"""Classes by short names: their own where they fit, else numbers with a key below the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.report.figures.key import Item, Key
from bench.report.figures.measuring import wrapped
from bench.report.figures.style import SMALL


@dataclass(frozen=True)
class Classes:
    """How each class is called in a figure.

    Attributes:
        short: what stands at the axes, all different.
        key: what the short names mean; None where they are the names themselves.
    """

    names: Sequence[str]
    short: Sequence[str]
    key: Key | None


def short_classes(names: Sequence[str], inches: float, width: float, lines: int = 1) -> Classes:
    """Their own names where all fit, else numbers.

    Args:
        inches: room for one name at the axes.
        width: of the key, in inches.
        lines: over which a name may be broken.
    """
    own = [wrapped(name, inches, SMALL, lines) for name in names]
    whole = all(
        "".join(short.split()) == "".join(name.split())  # nothing cut, nothing escaped
        for short, name in zip(own, names, strict=True)
    )
    if whole and all(own) and len(set(own)) == len(own):
        return Classes(names, own, None)
    numbers = [str(number) for number in range(len(names))]
    return Classes(names, numbers, Key([Item(i, name) for i, name in enumerate(names)], width))
