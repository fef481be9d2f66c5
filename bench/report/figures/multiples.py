"""Small panels in rows, one a model: where they stand, how they are named, how many a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.figures.measuring import wrapped
from bench.report.figures.source import Entry
from bench.report.figures.style import INK, PAGE, RIVAL, SMALL, new_figure, place, write

_TITLE = 0.27  # inches above a panel: two lines
Item = TypeVar("Item")


@dataclass(frozen=True)
class Grid:
    """Rows of equal panels over the whole width; all lengths in inches.

    Attributes:
        parts: heights of the axes that make one panel, from the top down.
        head: room at the top of the figure, for a legend.
        foot: room below everything, for tick labels and the axis's name.
    """

    count: int
    columns: int
    parts: tuple[float, ...]
    left: float = 0.42
    right: float = 0.06
    gap: float = 0.14
    within: float = 0.06
    under: float = 0.1
    head: float = 0.22
    foot: float = 0.28

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def wide(self) -> float:
        """Of a panel."""
        return (PAGE - self.left - self.right - self.gap * (self.columns - 1)) / self.columns

    @property
    def middle(self) -> float:
        """Of the panels from left to right, for the name of the axis that they share."""
        beside = min(self.count, self.columns)
        return self.left + (beside * self.wide + (beside - 1) * self.gap) / 2

    @property
    def tall(self) -> float:
        """Of a panel with its name and tick labels."""
        return _TITLE + sum(self.parts) + self.within * (len(self.parts) - 1) + self.under

    @property
    def height(self) -> float:
        """Of the figure."""
        return self.head + self.rows * self.tall + self.foot

    def figure(self) -> Figure:
        """An empty figure of this size."""
        return new_figure(PAGE, self.height)

    def axes(self, figure: Figure, index: int) -> list[Axes]:
        """The axes of the n-th panel, from the top down; inner tick labels are off."""
        row, column = divmod(index, self.columns)
        x = self.left + column * (self.wide + self.gap)
        y = self.height - self.head - row * self.tall - _TITLE
        made = []
        for number, tall in enumerate(self.parts):
            y -= tall
            axes = place(figure, x, y, self.wide, tall)
            lowest = number == len(self.parts) - 1
            axes.tick_params(labelleft=column == 0, labelbottom=lowest and self.is_lowest(index))
            made.append(axes)
            y -= self.within
        return made

    def ylabel(self, axes: Axes, text: str) -> None:
        """A label at the figure's left edge, the same distance from every panel."""
        axes.set_ylabel(text)
        axes.yaxis.set_label_coords(-(self.left - 0.03) / self.wide, 0.5)
        axes.yaxis.label.set_verticalalignment("top")

    def is_lowest(self, index: int) -> bool:
        """Whether no panel stands below."""
        return index + self.columns >= self.count

    def title(self, figure: Figure, index: int, entry: Entry, note: str = "") -> None:
        """The model's name over its panel, and what is to be noted of it on the second line."""
        row, column = divmod(index, self.columns)
        x = self.left + column * (self.wide + self.gap)
        y = self.height - self.head - row * self.tall - _TITLE + 0.06
        role = entry.role
        name = wrapped(entry.label, self.wide + 0.05, SMALL, 2, role.weight)
        colour = INK if role is RIVAL else role.colour
        look: dict[str, Any] = {
            "va": "baseline",
            "linespacing": 1.0,
            "weight": role.weight,
            "color": colour,
        }
        write(figure, x, y, name, fontsize=SMALL, gid="title", **look)


def chunks(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Parts of ``most``, the last of what is left: a figure's rows are full."""
    return [items[start : start + most] for start in range(0, len(items), most)]


def part_told(index: int, parts: int) -> str:
    """`` (1 of 2)`` where a figure is one of several."""
    return f" ({index} of {parts})" if parts > 1 else ""
