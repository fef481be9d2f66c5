"""A baseline as one file: the packages under trial, and a manifest that tells damage.

It holds code, not times: whoever takes it as baseline runs it again on their own machine, beside
their own tree.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from bench.errors import InputError
from bench.records.base import Stored
from bench.records.store import write_atomic
from bench.specs import describe_invalid
from bench.toml_file import shown

MANIFEST = "regress.json"
CACHE, COMPILED = "__pycache__", (".so", ".pyc")  # left out


class Manifest(Stored):
    """What an archive holds."""

    schema_version: Literal[1] = 1
    kind: Literal["regress baseline"] = "regress baseline"
    commit: str | None
    changed: bool
    files: dict[str, str]  # path: SHA-256


def export(folder: Path, names: Sequence[str], commit: str | None, changed: bool, to: Path) -> int:
    """Write the files below ``names`` as a ``.tar.gz``, whole or not at all; how many there are.

    The same files give the same bytes.
    """
    files = {str(path.relative_to(folder)): path.read_bytes() for path in _files(folder, names)}
    manifest = Manifest(
        commit=commit,
        changed=changed,
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    text = json.dumps(manifest.model_dump(mode="json"), indent=1) + "\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as tar:
        for name, content in {MANIFEST: text.encode(), **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    packed = bytearray(buffer.getvalue())
    packed[4:8] = bytes(4)  # gzip's time of writing (RFC 1952, 2.3.1)
    write_atomic(to, bytes(packed))
    return len(files)


def _files(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    for name in names:
        top = folder / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            inside = path.relative_to(folder)
            if path.is_file() and path.suffix not in COMPILED and CACHE not in inside.parts:
                yield path


def unpack(archive: Path, target: Path) -> Manifest:
    """Lay the files out in ``target``; what they are.

    Raises:
        InputError: it is no such archive, or damaged.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(target, filter="data")
        manifest = Manifest.model_validate_json((target / MANIFEST).read_text(encoding="utf-8"))
        for name, wanted in manifest.files.items():
            if hashlib.sha256((target / name).read_bytes()).hexdigest() != wanted:
                raise ValueError(f"{name} is not what was packed")
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error, ValidationError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"not a whole archive of a baseline: {why}",
            remedy="make it anew: python -m bench regress --export FILE",
            file=shown(archive),
        ) from None
    return manifest
