"""The models that tables compare, read from ``roster.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

ROSTER = Path(__file__).with_name("roster.toml")
FAMILIES = ("cnn", "transformer", "hybrid", "ssm")


@dataclass(frozen=True)
class Entry:
    """What a comparison must know of a model.

    Attributes:
        name: as registered with timm.
        family: one of ``FAMILIES``.
        min_image_size: side in px of the smallest square images that train with a batch of 2.
        takes_img_size: whether inputs of another size than 224 need ``img_size=`` at creation.
        published: names in the published numbers that stand for this same architecture.
        note: what a reader should know, or "".
    """

    name: str
    family: str
    min_image_size: int
    takes_img_size: bool = False
    published: tuple[str, ...] = ()
    note: str = ""


_KEYS = {field.name: field.type for field in fields(Entry) if field.name != "name"}
_REQUIRED = ("family", "min_image_size")


def load(path: Path = ROSTER) -> dict[str, Entry]:
    """The roster, name to entry, in the file's order.

    Raises:
        ValueError: a key is missing, unknown or has a bad value, or two models claim one published
            name; the message names file, model and key.
    """
    with path.open("rb") as file:
        tables = tomllib.load(file)
    entries = {name: _entry(name, table, path) for name, table in tables.items()}
    owner: dict[str, str] = {}
    for entry in entries.values():
        for published in entry.published:
            if published in owner:
                raise ValueError(
                    f"{path.name}: {entry.name}.published: {published!r} is claimed by "
                    f"{owner[published]!r} already; name it once"
                )
            owner[published] = entry.name
    return entries


def _entry(name: str, table: Any, path: Path) -> Entry:
    if not isinstance(table, dict):
        raise ValueError(f"{path.name}: {name}: must be a table, got {table!r}")
    for key in table.keys() - _KEYS.keys():
        raise ValueError(f"{path.name}: {name}.{key}: unknown key; known are {', '.join(_KEYS)}")
    for key in _REQUIRED:
        if key not in table:
            raise ValueError(f"{path.name}: {name}.{key}: missing; every model must state it")
    for key, value in table.items():
        wanted = _problem(key, value)
        if wanted:
            raise ValueError(f"{path.name}: {name}.{key}: must be {wanted}, got {value!r}")
    return Entry(name, **{**table, "published": tuple(table.get("published", ()))})


def _problem(key: str, value: object) -> str | None:
    """What the value should have been, if it is not."""
    if key == "family":
        return None if value in FAMILIES else f"one of {', '.join(FAMILIES)}"
    if key == "min_image_size":
        positive = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return None if positive else "a positive integer (px)"
    if key == "takes_img_size":
        return None if isinstance(value, bool) else "true or false"
    if key == "published":
        names = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return None if names else "a list of names"
    return None if isinstance(value, str) else "a text"
