"""The table a document shows, put between its markers, so that no number is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.errors import InputError
from bench.toml_file import shown

MARKER = re.compile(r"^<!-- table: (.+) -->$", re.MULTILINE)  # a line of its own


def embed(text: str, name: str, table: str) -> str:
    """``text`` with ``table`` between ``<!-- table: NAME -->`` and ``<!-- /table -->``.

    Raises:
        ValueError: the markers are not there.
    """
    start, end = f"<!-- table: {name} -->", "<!-- /table -->"
    flags = re.DOTALL | re.MULTILINE
    pattern = re.compile(f"(^{re.escape(start)}\n).*?({re.escape(end)})", flags)
    if not pattern.search(text):
        raise ValueError(f"no {start} … {end}")
    return pattern.sub(lambda found: f"{found[1]}{table.rstrip()}\n{found[2]}", text)


def embed_in_file(path: Path, tables: Mapping[str, Callable[[], str]]) -> str:
    """The file's text with those of the tables put in that it has a place for.

    Args:
        tables: what stands in the marker → draws the table.

    Raises:
        InputError: the file cannot be read, or has a place for none of them.
    """
    try:
        text = path.read_text(encoding="utf-8")
        places = MARKER.findall(text)
        here = [name for name in tables if name in places]
        for name in here or list(tables)[:1]:
            text = embed(text, name, tables[name]())
        return text
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", remedy="check the path", file=shown(path)
        ) from error
    except ValueError as error:
        raise InputError(
            str(error), remedy="add both markers where the table belongs", file=shown(path)
        ) from error
