"""Classes by short names: their own where they fit, else numbers with a key below the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.report.figures.key import Item, Key
from bench.report.figures.measuring import printable, width_of
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


def short_classes(names: Sequence[str], inches: float, width: float) -> Classes:
    """Args:
    inches: room for one name at the axes.
    width: of the key.
    """
    own = [printable(name) for name in names]
    fit = all(width_of(name, SMALL) <= inches and name for name in own)
    if fit and len(set(own)) == len(own) and own == [" ".join(n.split()) for n in names]:
        return Classes(names, own, None)
    numbers = [str(number) for number in range(len(names))]
    return Classes(names, numbers, Key([Item(i, name) for i, name in enumerate(names)], width))
