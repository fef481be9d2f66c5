"""Pictures as bytes: the same figure gives the same bytes with the same versions of matplotlib."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.figure import Figure

FORMATS: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Endings, each with the metadata that would differ from day to day or version to version."""


def picture(figure: Figure, ending: str) -> bytes:
    """The figure as PNG, SVG or PDF; called inside ``style.styled``."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, metadata=FORMATS[ending])
    return buffer.getvalue()
