"""Which fonts a figure is set in, and which characters they have.

DejaVu Sans comes with matplotlib, so that a figure is the same everywhere. Names in scripts that it
lacks (Chinese, Japanese, Thai, …) are set in the first of some widely spread fonts that this
machine has; nothing else in a figure depends on them.
"""

from __future__ import annotations

import logging
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

FAMILY = "DejaVu Sans"
FALLBACKS = (
    (
        "Noto Sans CJK SC",
        "Noto Sans CJK JP",
        "Noto Sans SC",
        "Source Han Sans SC",
        "WenQuanYi Zen Hei",
        "WenQuanYi Micro Hei",
        "Droid Sans Fallback",
        "Microsoft YaHei",
        "PingFang SC",
        "Hiragino Sans",
    ),
    ("Noto Sans Thai", "Tahoma"),
    ("Noto Sans Devanagari", "Nirmala UI"),
    ("Noto Emoji", "Symbola"),  # in outlines; a font in colours cannot be set
)
"""By script; of each the first that is installed."""

# A fallback without a bold face is no news to who draws a figure.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """DejaVu Sans, then the fallbacks that are installed."""
    installed = {font.name for font in fontManager.ttflist}
    found = (next((name for name in names if name in installed), None) for names in FALLBACKS)
    return (FAMILY, *(name for name in found if name is not None))


@lru_cache(maxsize=1)
def known() -> frozenset[int]:
    """The characters that any of them has, by number."""
    found: set[int] = set()
    for family in families():
        found |= get_font(findfont(FontProperties(family=family))).get_charmap().keys()
    return frozenset(found)


def printable(text: str) -> str:
    """The text on one line, with characters that no font here has by their number: ``[U+80BA]``."""
    line = " ".join(text.split())
    return "".join(c if ord(c) in known() else f"[U+{ord(c):04X}]" for c in line)
