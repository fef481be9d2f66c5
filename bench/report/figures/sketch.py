"""A pen for diagrams: boxes, arrows and text at places in inches, upwards from the lower left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from bench.report.figures.measuring import shortened
from bench.report.figures.style import INK, PALE, SMALL

LINE = 0.125  # inches from line to line of small type
PLUS = 0.075  # inches: the radius of a sum's circle
_EDGE = 0.7  # points


@dataclass(frozen=True)
class Look:
    """How a box is filled and edged; the two differ in grey as well as in colour."""

    fill: str
    edge: str


PLAIN = Look("#f2f2f2", PALE)
ABSENT = Look("none", PALE)


@dataclass(frozen=True)
class Pen:
    """Draws on axes whose units are inches."""

    axes: Axes

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        lines: Sequence[str],
        look: Look = PLAIN,
        *,
        bold: bool = True,
    ) -> None:
        """A box around ``(x, y)``; the first of its lines is its name."""
        absent = look is ABSENT
        self.axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.04",
                facecolor=look.fill,
                edgecolor=look.edge,
                linewidth=_EDGE,
                linestyle=(0, (3, 2)) if absent else "-",
                zorder=2,
            )
        )
        top = y + LINE * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            weight = "bold" if bold and number == 0 and not absent else "normal"
            told = shortened(line, width - 0.04, SMALL, weight)
            colour = PALE if absent else INK
            self.text(x, top - number * LINE, told, weight=weight, color=colour, ha="center")

    def arrow(self, *points: tuple[float, float], absent: bool = False) -> None:
        """A line along ``points`` that ends in an arrow's head."""
        look: dict[str, Any] = {
            "color": PALE,
            "linewidth": 0.8,
            "linestyle": (0, (3, 2)) if absent else "-",
        }
        if len(points) > 2:
            self.axes.add_line(Line2D(*zip(*points[:-1], strict=True), zorder=1, **look))
        self.axes.add_patch(
            FancyArrowPatch(
                points[-2],
                points[-1],
                arrowstyle="-|>",
                mutation_scale=6,
                shrinkA=0,
                shrinkB=0,
                zorder=1,
                **look,
            )
        )

    def line(self, *points: tuple[float, float]) -> None:
        """The same without a head."""
        self.axes.add_line(Line2D(*zip(*points, strict=True), color=PALE, linewidth=0.8, zorder=1))

    def plus(self, x: float, y: float) -> None:
        """Where a residual is added."""
        look: dict[str, Any] = {"facecolor": "white", "edgecolor": PALE, "linewidth": _EDGE}
        self.axes.add_patch(Circle((x, y), PLUS, zorder=2, **look))
        arm = PLUS * 0.6
        for across, up in ((arm, 0.0), (0.0, arm)):
            ends = (x - across, x + across), (y - up, y + up)
            self.axes.add_line(Line2D(*ends, color=INK, linewidth=0.8, zorder=3))

    def text(self, x: float, y: float, text: str, **look: Any) -> None:
        """One line of small type, its middle at the height of ``y``."""
        settled: dict[str, Any] = {"fontsize": SMALL, "va": "center_baseline", "color": INK} | look
        self.axes.text(x, y, text, zorder=4, **settled)
