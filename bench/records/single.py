"""Records in a JSON file each, of kinds of their own: trials of searches, trainings of studies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bench.errors import InputError
from bench.records.base import Stored
from bench.records.store import write_atomic
from bench.specs import describe_invalid
from bench.toml_file import shown

Kind = TypeVar("Kind", bound=Stored)


def save_single(record: Stored, path: Path) -> None:
    """Write one record whole or not at all."""
    text = json.dumps(record.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomic(path, (text + "\n").encode())


def load_single(
    path: Path, kind: type[Kind], ids: Callable[[Kind], set[str]], *, called: str, again: str
) -> Kind | None:
    """The record under ``path``, or None if there is none.

    Args:
        ids: what its content says that its id is; the file must be named so.
        called, again: what a damaged one is, and how it is made anew.

    Raises:
        InputError: it is damaged.
    """
    if not path.exists():
        return None
    try:
        record = kind.model_validate_json(path.read_text(encoding="utf-8"))
        others = ids(record) - {path.stem}
        if others:
            raise ValueError(f"its content belongs to the id {min(others)}")
    except (ValidationError, ValueError, OSError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"damaged {called}: {why}", remedy=f"delete it and {again}", file=shown(path)
        ) from None
    return record
