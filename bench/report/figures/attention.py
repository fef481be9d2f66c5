"""Where the network looks on a few validation images, and how far that can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from bench.insight.record import Looked, Maps, load_maps
from bench.report.figures.looks import Look, of_every_dataset, resting
from bench.report.figures.measuring import paragraph, shortened, width_of
from bench.report.figures.planned import Lacking, Planned, Row, ids
from bench.report.figures.source import Source
from bench.report.figures.style import INK, PAGE, PALE, SMALL, TALLEST, new_figure, place, write

MOST_SEEDS = 3  # of which maps are drawn; all count in the agreement
_LEFT, _GAP, _UNDER, _HEAD, _FOOT = 0.72, 0.06, 0.17, 0.36, 0.34
_KINDS = (("grad_cam", "Grad-CAM"), ("received", "attention received"))
_COLOURS = "cividis"  # the same order in grey and to any eye

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Spearman's correlation of two maps of one image, mean over images; None: not defined."""

    what: str
    value: float | None
    images: int


def attention(source: Source) -> list[Planned | Lacking]:
    """One figure a data set."""
    return of_every_dataset(source, _planned)


def _planned(source: Source, dataset: str, seen: Sequence[Look]) -> Planned:
    maps = [load_maps(one.insight, source.store.root) for one in seen]
    found = agreements(maps)
    first = seen[0].insight
    told = "; ".join(_told(one) for one in found)
    caption = (
        f"{first.model} on the first validation images of each class of {dataset}, by index, right "
        f"decisions or not; maps of stage {first.map_stage}, the deepest of 7 px a side. Grad-CAM: "
        f"where channels that raise the decided class are active, each image up to its largest "
        f"value. Attention received: the mean over heads and queries of the rows of φ(Q)φ(K)ᵀ in "
        f"the stage's last block, dark half and bright twice an even share or more. Probabilities "
        f"are calibrated. Rank correlation of maps, mean over the first "
        f"{len(maps[0]['index'])} validation images (Grad-CAM of two seeds: where both decide "
        f"alike): {told}. "
        f"Maps that seeds do not share, or that fresh weights give too, explain no decision. "
        f"{resting(source, seen)}"
    )
    return Planned(
        name=f"attention-{dataset}",
        title=f"Where the network looks: {dataset}",
        caption=caption,
        rows=[*_rows(dataset, seen), *_agreement_rows(dataset, seen, found)],
        records=[one.record for one in seen],
        looks=[one.insight for one in seen],
        draw=partial(_draw, seen, maps),
    )


def agreements(maps: Sequence[Maps]) -> list[Agreement]:
    """How alike maps are: of two seeds, by kind, and of a seed and fresh weights.

    Grad-CAMs of two seeds are compared on images of which both decide for the same class.
    """
    found = []
    for kind, name in _KINDS:
        pairs = []
        for one, other in combinations([m for m in maps if kind in m], 2):
            same = one["followed"] == other["followed"]
            rows = np.flatnonzero(same) if kind == "grad_cam" else range(len(same))
            pairs += [(one[kind][i], other[kind][i]) for i in rows]
        if pairs:
            found.append(_agreement(f"{name}, two seeds", pairs))
    fresh = [pair for one in maps for pair in zip(one["grad_cam"], one["untrained"], strict=True)]
    found.append(_agreement("Grad-CAM, trained and fresh weights", fresh))
    return found


def _agreement(what: str, pairs: Sequence[tuple[Any, Any]]) -> Agreement:
    values = [correlation(np.asarray(a, float), np.asarray(b, float)) for a, b in pairs]
    known = [value for value in values if value is not None]
    return Agreement(what, float(np.mean(known)) if known else None, len(known))


def correlation(one: Floats, other: Floats) -> float | None:
    """Spearman's, over the cells of two maps; None where one is the same all over."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(stats.spearmanr(one.ravel(), other.ravel()).statistic)


def _told(one: Agreement) -> str:
    value = "undefined" if one.value is None else f"{one.value:.2f}"
    return f"{one.what} {value}"


def _rows(dataset: str, seen: Sequence[Look]) -> list[Row]:
    return [
        {
            "data set": dataset,
            "model": look.insight.model,
            "seed": look.seed,
            "validation image": one.index,
            "shown for": one.shown_for,
            "label": ", ".join(one.label),
            "decided": ", ".join(one.decided),
            "right": "yes" if one.right else "no",
            "followed": one.followed,
            "probability": one.probability,
            "records": look.record.id,
        }
        for look in seen
        for one in look.insight.looked
    ]


def _agreement_rows(dataset: str, seen: Sequence[Look], found: Sequence[Agreement]) -> list[Row]:
    return [
        {
            "data set": dataset,
            "agreement": one.what,
            "rank correlation": one.value,
            "pairs of maps": one.images,
            "records": ids([look.record for look in seen]),
        }
        for one in found
    ]


def _draw(seen: Sequence[Look], maps: Sequence[Maps]) -> Figure:
    drawn = [*zip(seen, maps, strict=True)][:MOST_SEEDS]
    kinds = [kind for kind in _KINDS if all(kind[0] in found for _, found in drawn)]
    columns = 1 + len(kinds) * len(drawn)
    side = min((PAGE - _LEFT - 0.04 - _GAP * (columns - 1)) / columns, 1.25)
    looked = drawn[0][0].insight.looked
    fitting = int((TALLEST - _HEAD - _FOOT) / (side + _UNDER))
    rows = looked[:fitting]
    height = _HEAD + len(rows) * (side + _UNDER) + _FOOT
    figure = new_figure(PAGE, height)
    _heads(figure, kinds, [one for one, _ in drawn], side, height)
    for row, one in enumerate(rows):
        y = height - _HEAD - row * (side + _UNDER) - side
        _name(figure, one, y + side)
        picture = _grey(np.asarray(drawn[0][1]["pictures"][row]))
        _show(figure, _LEFT, y, side, picture, [0, 255], "gray")
        column = 1
        for kind, _ in kinds:
            for look, found in drawn:
                x = _LEFT + column * (side + _GAP)
                shown = look.insight.looked[row]
                values = np.asarray(found[kind][shown.row], np.float64)
                limits = [0.0, 1.0] if kind == "grad_cam" else [-1.0, 1.0]
                scaled = values if kind == "grad_cam" else np.log2(np.maximum(values, 1e-3))
                _show(figure, x, y, side, scaled, limits, _COLOURS)
                if kind == kinds[0][0]:
                    _verdict(figure, x, y, side, shown)
                column += 1
    _scales(figure, kinds)
    return figure


def _heads(
    figure: Figure,
    kinds: Sequence[tuple[str, str]],
    seen: Sequence[Look],
    side: float,
    height: float,
) -> None:
    look: dict[str, Any] = {"fontsize": SMALL, "va": "center", "color": INK}
    write(figure, _LEFT, height - 0.1, "image", weight="bold", **look)
    for number, (_, name) in enumerate(kinds):
        x = _LEFT + (1 + number * len(seen)) * (side + _GAP)
        write(figure, x, height - 0.1, name, weight="bold", **look)
        for place_, one in enumerate(seen):
            write(figure, x + place_ * (side + _GAP), height - 0.26, f"seed {one.seed}", **look)


def _name(figure: Figure, one: Looked, top: float) -> None:
    """The class and the image's number, to the left of its row."""
    lines = paragraph(one.shown_for, _LEFT - 0.08, SMALL)[:3]
    for number, line in enumerate([*lines, f"no. {one.index}"]):
        colour = PALE if number == len(lines) else INK
        write(figure, 0.02, top - 0.12 * number, line, va="top", fontsize=SMALL, color=colour)


def _verdict(figure: Figure, x: float, y: float, side: float, one: Looked) -> None:
    """Right or wrong, what was decided if wrong, and how sure."""
    word = "right" if one.right else "wrong"
    told = f"{word} {100 * one.probability:.0f} %"
    look: dict[str, Any] = {"weight": "normal" if one.right else "bold"}
    told = shortened(told, side, SMALL, look["weight"])
    write(figure, x, y - 0.035, told, va="top", fontsize=SMALL, **look)


def _show(
    figure: Figure,
    x: float,
    y: float,
    side: float,
    values: NDArray[np.generic],
    limits: Sequence[float],
    colours: str,
) -> None:
    axes = place(figure, x, y, side, side)
    low, high = limits
    axes.imshow(values, cmap=colormaps[colours], vmin=low, vmax=high, interpolation="nearest")
    axes.set_axis_off()


def _grey(picture: NDArray[np.generic]) -> NDArray[np.generic]:
    """``(S, S)`` of one channel, ``(S, S, 3)`` of three."""
    return picture[..., 0] if picture.shape[-1] == 1 else picture


def _scales(figure: Figure, kinds: Sequence[tuple[str, str]]) -> None:
    """What the colours mean, below the maps."""
    ends = {"grad_cam": ("0", "largest"), "received": ("½ share", "2 shares")}
    look: dict[str, Any] = {"va": "center", "fontsize": SMALL, "color": INK}
    ramp = np.linspace(0, 1, 64)[None]
    for number, (kind, name) in enumerate(kinds):
        low, high = ends[kind]
        x = _LEFT + 3.1 * number
        told = f"{name}: {low}"
        write(figure, x, 0.115, told, **look)
        x += width_of(told, SMALL) + 0.06
        axes = place(figure, x, 0.07, 0.7, 0.09)
        axes.imshow(ramp, cmap=colormaps[_COLOURS], aspect="auto")
        axes.set_axis_off()
        write(figure, x + 0.76, 0.115, high, **look)
