"""Figures as images inside the page: SVG while there is room, else lossless WebP."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from PIL import Image

from bench.report.figures.planned import Planned
from bench.report.figures.saving import picture
from bench.report.figures.style import styled

ROOM = 2_500_000  # characters of all SVG together, so that the page stays below 5 MB
_PLAIN = " =:/;,'()[]{}+*!@$&?-._~"  # may stand in an address between quotation marks


@dataclass(frozen=True)
class Picture:
    """One figure on the page.

    Attributes:
        source: a ``data:`` address.
        size: width and height in CSS pixels, so that nothing moves while the page is laid out.
        numbers: the file beside the page that holds every number drawn.
    """

    name: str
    title: str
    caption: str
    source: str
    size: tuple[int, int]
    records: tuple[str, ...]
    numbers: str


def pictures(figures: Sequence[Planned], folder: str, room: int = ROOM) -> list[Picture]:
    """Draw the figures; the largest SVG are replaced by pixels until the others fit into ``room``.

    Args:
        folder: where their CSV files lie, as the page names it.
    """
    drawn: list[tuple[str, bytes]] = []
    for figure in figures:
        with styled():
            made = figure.draw()
            drawn.append((_svg(picture(made, "svg")), picture(made, "png")))
    chosen = [svg for svg, _ in drawn]
    for place in sorted(range(len(drawn)), key=lambda place: -len(drawn[place][0])):
        if sum(map(len, chosen)) <= room:
            break
        chosen[place] = _webp(drawn[place][1])
    return [
        Picture(
            name=figure.name,
            title=figure.title,
            caption=figure.caption,
            source=source,
            size=_size(png),
            records=tuple(dict.fromkeys(record.id for record in figure.records)),
            numbers=f"{folder}/{figure.name}.csv",
        )
        for figure, source, (_, png) in zip(figures, chosen, drawn, strict=True)
    ]


def _svg(content: bytes) -> str:
    text = " ".join(content.decode().split())
    return "data:image/svg+xml," + quote(text, safe=_PLAIN)


def _webp(png: bytes) -> str:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.save(buffer, "webp", lossless=True, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _size(png: bytes) -> tuple[int, int]:
    """Of the PNG at 200 dots an inch, where CSS has 96."""
    with Image.open(io.BytesIO(png)) as image:
        width, height = image.size
    return round(width * 96 / 200), round(height * 96 / 200)
