"""Which augmentations keep which data set's labels, read from ``label_preserving.toml``."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

from bench.errors import InputError, nearest

AUGMENTATIONS = (
    "horizontal_flip",
    "vertical_flip",
    "shift",
    "crop",
    "rotation",
    "brightness",
    "erase",
)
"""Every augmentation there is, in the order in which ``augment`` applies them."""

DECLARED = Path(__file__).with_name("label_preserving.toml")


@functools.cache
def declared() -> dict[str, frozenset[str]]:
    """Data set name → the augmentations that keep its labels, with the reasons in the file."""
    with DECLARED.open("rb") as file:
        return {name: frozenset(kept) for name, kept in tomllib.load(file).items()}


def check_augmentations(names: list[str], key: str) -> frozenset[str]:
    """The names as a set.

    Raises:
        InputError: one of them is no augmentation.
    """
    for name in names:
        if name not in AUGMENTATIONS:
            raise InputError(
                f"unknown augmentation {name!r}", remedy=nearest(name, AUGMENTATIONS), key=key
            )
    return frozenset(names)
