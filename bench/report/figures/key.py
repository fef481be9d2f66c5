"""The numbered key below a figure: so many names would never fit beside their points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.report.figures.fonts import printable
from bench.report.figures.measuring import shortened, width_of
from bench.report.figures.style import INK, SMALL, Role, write

ROW = 0.135  # inches from line to line
_MARKER, _NUMBER, _GAP = 0.14, 0.2, 0.16


@dataclass(frozen=True)
class Item:
    """One line of the key; without a role it has no marker."""

    number: int
    text: str
    role: Role | None = None


@dataclass(frozen=True)
class Key:
    """Where the lines of a key go: down the columns, as many columns as fit."""

    items: Sequence[Item]
    width: float

    @property
    def _head(self) -> float:
        return _NUMBER + (_MARKER if any(item.role for item in self.items) else 0.0)

    @property
    def columns(self) -> int:
        """How many columns the longest name leaves room for."""
        longest = max(
            (width_of(printable(i.text), SMALL, _weight(i)) for i in self.items), default=1.0
        )
        fitting = int((self.width + _GAP) / (self._head + longest + _GAP))
        return max(1, min(fitting, 5, len(self.items)))

    @property
    def rows(self) -> int:
        return math.ceil(len(self.items) / self.columns)

    @property
    def height(self) -> float:
        """Inches."""
        return ROW * self.rows

    def draw(self, figure: Figure, left: float, top: float) -> None:
        """Write it below ``top``; both in inches."""
        across, up = figure.get_size_inches()
        pitch = (self.width + _GAP) / self.columns
        for index, item in enumerate(self.items):
            column, row = divmod(index, self.rows)
            x, y = left + column * pitch, top - ROW * (row + 0.5)
            if item.role is not None:
                place = ([(x + _MARKER / 2) / across], [y / up])
                figure.add_artist(Line2D(*place, **marker_look(item.role), linestyle="none"))
            end, weight = x + self._head, _weight(item)
            look: dict[str, Any] = {
                "va": "center_baseline",
                "fontsize": SMALL,
                "color": INK,
                "weight": weight,
            }
            write(figure, end - 0.06, y, str(item.number), ha="right", **look)
            room = pitch - _GAP - self._head
            write(figure, end, y, shortened(item.text, room, SMALL, weight), **look)


def _weight(item: Item) -> str:
    return item.role.weight if item.role is not None else "normal"


def marker_look(role: Role) -> dict[str, Any]:
    """How the markers of a role are drawn."""
    return {
        "marker": role.marker,
        "markersize": role.size,
        "markerfacecolor": role.fill,
        "markeredgecolor": role.colour,
        "markeredgewidth": 0.9,
    }
