"""How every figure looks: sizes, type, and colours that are told apart in grey and by any eye."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.report.figures.fonts import families

COLUMN, PAGE = 3.35, 6.9  # inches: one column, the whole width
TALLEST = 9.0  # inches of a page below its margins
SMALL, PLAIN = 7.0, 8.0  # points of type

# Okabe & Ito 2008; yellow is left out, as it is lost on white.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
INK, PALE, FAINT = "#1a1a1a", "#767676", "#d9d9d9"

_SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2)))

_RC: dict[str, Any] = {
    "font.family": [*families()],
    "font.size": SMALL,
    "axes.titlesize": PLAIN,
    "axes.labelsize": SMALL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": PALE,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": PALE,
    "ytick.color": PALE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "grid.color": "#ececec",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.solid_capstyle": "butt",
    "text.parse_math": False,  # a name with two $ is a name
    "pdf.fonttype": 42,  # TrueType, embedded
    "svg.fonttype": "path",  # looks the same where the font is missing
    "svg.hashsalt": "medspectral-bench",  # ids in the file depend on nothing else
    "savefig.dpi": 200,
    "figure.dpi": 200,
}


@dataclass(frozen=True)
class Role:
    """What a model is in its suite, and how that looks."""

    name: str
    colour: str
    fill: str
    marker: str
    size: float  # points across
    weight: str = "normal"


SUBJECT = Role("subject", BLUE, BLUE, "o", 6.0, "bold")
ABLATION = Role("ablation", VERMILION, "#f6c9a8", "D", 4.4)
RIVAL = Role("other model", "#333333", "#ffffff", "s", 4.6)
ROLES = (SUBJECT, ABLATION, RIVAL)


@contextmanager
def styled() -> Iterator[None]:
    """Everything is made and saved inside; the settings of the person at hand do not enter."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)  # type: ignore[arg-type]
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own, known to no global state; sizes in inches."""
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes whose frame stands exactly there, in inches from the lower left corner."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def write(figure: Figure, left: float, bottom: float, text: str, **look: Any) -> None:
    """Text at a place in inches; ``look`` as of matplotlib's text."""
    across, up = figure.get_size_inches()
    figure.text(left / across, bottom / up, text, **look)


def series(index: int) -> dict[str, Any]:
    """Colour and dashes of the n-th of several lines; 28 differ, neighbours in both."""
    return {
        "color": _SERIES[index % len(_SERIES)],
        "linestyle": _DASHES[index % len(_DASHES)],
    }
