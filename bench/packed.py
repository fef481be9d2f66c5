"""The commit of a checkout that travels without git: a stamp, and the digest that it holds for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from bench.toml_file import ROOT

FOLDER = ROOT / ".gpu"
"""What ``python -m bench gpu --pack`` prepares; git ignores it."""

STAMP = FOLDER / "commit.json"


def tree_digest(places: Iterable[str], root: Path = ROOT) -> str:
    """SHA-256 over the names and bytes of the source files below ``places``."""
    digest = hashlib.sha256()
    for place in places:
        path = root / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                name = file.relative_to(root).as_posix()
                digest.update(f"{name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def write_stamp(commit: str, dirty: bool, places: Iterable[str], root: Path = ROOT) -> bytes:
    """The stamp's content: the commit holds for this very tree."""
    content = {"commit": commit, "dirty": dirty, "tree": tree_digest(places, root)}
    return (json.dumps(content, indent=1) + "\n").encode()


def read_stamp(
    places: Iterable[str], stamp: Path = STAMP, root: Path = ROOT
) -> tuple[str | None, bool | None]:
    """The commit and whether the source differs from it; None where there is no stamp.

    A tree that was changed since it was stamped differs from its commit.
    """
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
        commit, dirty, tree = str(found["commit"]), bool(found["dirty"]), found["tree"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, None
    return commit, dirty or tree != tree_digest(places, root)
