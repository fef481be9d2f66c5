"""The table a document shows, put between its markers, so that no number is typed by hand."""

from __future__ import annotations

import re
from pathlib import Path

from bench.errors import InputError
from bench.toml_file import shown


def embed(text: str, suite_name: str, table: str) -> str:
    """``text`` with ``table`` between ``<!-- table: SUITE -->`` and ``<!-- /table -->``.

    Raises:
        ValueError: the markers are not there.
    """
    start, end = f"<!-- table: {suite_name} -->", "<!-- /table -->"
    pattern = re.compile(f"({re.escape(start)}\n).*?({re.escape(end)})", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no {start} … {end}")
    return pattern.sub(lambda found: f"{found[1]}{table.rstrip()}\n{found[2]}", text)


def embed_in_file(path: Path, suite_name: str, table: str) -> str:
    """The file's text with the table put in.

    Raises:
        InputError: the file cannot be read, or has no place for this suite's table.
    """
    try:
        return embed(path.read_text(encoding="utf-8"), suite_name, table)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", remedy="check the path", file=shown(path)
        ) from error
    except ValueError as error:
        raise InputError(
            str(error), remedy="add both markers where the table belongs", file=shown(path)
        ) from error
