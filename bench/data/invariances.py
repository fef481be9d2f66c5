"""Augmentations by name: how strong each may be, and whose labels it keeps."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.errors import InputError, nearest

STRENGTHS = {
    "horizontal_flip": (1.0, "the probability of a flip"),
    "vertical_flip": (1.0, "the probability of a flip"),
    "shift": (32.0, "the largest shift, whole pixels of the fed image"),
    "crop": (0.95, "the largest part of the area cut away"),
    "rotation": (180.0, "the largest angle, degrees"),
    "brightness": (1.0, "the largest change of brightness and contrast, as a fraction"),
    "erase": (0.95, "the largest part of the area erased"),
}
"""Augmentation → its greatest strength and what the strength means."""

AUGMENTATIONS = tuple(STRENGTHS)
"""Every augmentation there is, in the order in which ``augment`` applies them."""

DECLARED = Path(__file__).with_name("label_preserving.toml")


@functools.cache
def declared() -> dict[str, frozenset[str]]:
    """Data set name → the augmentations that keep its labels, with the reasons in the file."""
    with DECLARED.open("rb") as file:
        return {name: frozenset(kept) for name, kept in tomllib.load(file).items()}


def check_names(names: Iterable[str], key: str) -> frozenset[str]:
    """The names as a set.

    Raises:
        InputError: one of them is no augmentation.
    """
    kept = frozenset(names)
    for name in sorted(kept - set(AUGMENTATIONS)):
        raise InputError(
            f"unknown augmentation {name!r}", remedy=nearest(name, AUGMENTATIONS), key=key
        )
    return kept


def check_strengths(strengths: Mapping[str, float], image_size: int, key: str = "augment") -> None:
    """Refuse a protocol's augmentation that does not exist or is stronger than it may be.

    Raises:
        InputError: an unknown name, a strength out of range, or a shift across the whole image.
    """
    check_names(strengths, key)
    for name, strength in strengths.items():
        most, meaning = STRENGTHS[name]
        if name == "shift":
            most = min(most, image_size - 1.0)
            if strength != int(strength):
                raise InputError(
                    f"{strength:g} is not a whole number", remedy=meaning, key=f"{key}.{name}"
                )
        if not 0 < strength <= most:
            raise InputError(
                f"{strength:g} is not in 0–{most:g}", remedy=f"it is {meaning}", key=f"{key}.{name}"
            )
