"""Which files a user's own model is made of: its module, and what that imports from beside it.

The harness itself is left out: what of it decides a result is digested with every run.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import sysconfig
from collections.abc import Iterator
from pathlib import Path

INSTALLED = tuple(
    Path(place).resolve()
    for place in {sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")}
)
"""Python's own modules and installed packages: these have versions, which records name."""


def own_sources(module: str) -> tuple[str, ...]:
    """Files and folders of ``module`` and, in turn, of all it imports that is not installed.

    Args:
        module: dotted; of a package the whole top-level folder counts.
    """
    waiting, seen, places = [module.partition(".")[0]], {"bench"}, list[Path]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        place = _place(name)
        if place is None:
            continue
        places.append(place)
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        for file in files:
            waiting += _imported(file)
    return tuple(str(place) for place in [*places[:1], *sorted(places[1:])])


def _place(name: str) -> Path | None:
    """A top-level module's file, or a package's folder; None where it is installed or not found."""
    found = None
    with contextlib.suppress(ImportError, ValueError):
        found = importlib.util.find_spec(name)
    if found is None:
        return None
    folders = list(found.submodule_search_locations or ())
    origin = folders[0] if folders else found.origin
    if origin is None or not Path(origin).exists():  # built in
        return None
    place = Path(origin).resolve()
    return None if any(place.is_relative_to(folder) for folder in INSTALLED) else place


def _imported(file: Path) -> Iterator[str]:
    """Top-level names that a file imports; none where it cannot be read as Python."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
