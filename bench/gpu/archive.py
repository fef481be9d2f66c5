"""What a call made, in archives small enough to travel: records, predictions, races, kernels."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from pydantic import ValidationError

from bench.errors import InputError
from bench.gpu.record import Call
from bench.records.store import write_atomic
from bench.specs import describe_invalid

MANIFEST = "call.json"
LOGS = "logs"  # of the steps, for people; nothing is merged from them
KEPT = ("records/*.json", "records/*.npz", "races/*.json", "kernels/*.json")
_NAME = re.compile(
    r"(records/[0-9a-f]{16}\.(json|npz)|races/[\w-]+\.json|kernels/[0-9a-f]{16}\.json)"
)
LARGEST = 16 * 2**20
"""Bytes of an archive at most, counted before compression."""

_OVERHEAD = 1024  # of a file in a tar: its header and what fills its last block


def snapshot(results: Path) -> dict[str, str]:
    """The SHA-256 of every kept file below ``results``, by its path from there."""
    found = sorted(path for pattern in KEPT for path in results.glob(pattern))
    return {str(path.relative_to(results)): _sha256(path.read_bytes()) for path in found}


def changed(results: Path, before: Mapping[str, str]) -> dict[str, str]:
    """What was made or changed since the snapshot ``before``, as ``snapshot`` gives it.

    Predictions come with the record beside them; those of a run that was ended before its record
    was written are no result.
    """
    now = snapshot(results)
    new = {name for name, digest in now.items() if before.get(name) != digest}
    new = {name for name in new if name.endswith(".json")}
    new |= {beside for name in new if (beside := name.removesuffix(".json") + ".npz") in now}
    return {name: now[name] for name in sorted(new)}


def write_archives(
    path: Path, call: Call, results: Path, logs: Iterable[Path], largest: int = LARGEST
) -> list[Path]:
    """Write the call's files as ``path``, and what does not fit as ``…-2.tar.gz`` and so on.

    Each is whole by itself: its ``call.json`` lists its own files alone.

    Raises:
        OSError: as the file system does.
    """
    extra = {f"{LOGS}/{log.name}": log.read_bytes()[-(2**18) :] for log in logs if log.is_file()}
    room = largest - sum(len(content) + _OVERHEAD for content in extra.values()) - 2**18
    written = []
    for number, names in enumerate(_parts(call.files, results, room), 1):
        part = call.model_copy(update={"files": {name: call.files[name] for name in names}})
        contents = {MANIFEST: part.model_dump_json(indent=1).encode()} | extra
        contents |= {name: (results / name).read_bytes() for name in names}
        place = path if number == 1 else path.with_name(_numbered(path.name, number))
        write_atomic(place, _tar(contents))
        written.append(place)
        extra = {}
    return written


def _parts(names: Iterable[str], results: Path, room: int) -> list[list[str]]:
    """The names in order, cut where ``room`` is full; a record stays with its predictions."""
    parts: list[list[str]] = [[]]
    full = 0
    for _, together in groupby(sorted(names), key=lambda name: name.rpartition(".")[0]):
        group = list(together)
        size = sum((results / name).stat().st_size + _OVERHEAD for name in group)
        if parts[-1] and full + size > room:
            parts.append([])
            full = 0
        parts[-1] += group
        full += size
    return parts


def _numbered(name: str, number: int) -> str:
    return f"{name.removesuffix('.tar.gz')}-{number}.tar.gz"


def _tar(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def read_archive(path: Path) -> tuple[Call, dict[str, bytes]]:
    """The call and its files by name, each with the bytes that the call says it left.

    Raises:
        InputError: it is no such archive, or damaged.
    """
    contents = _untar(path)
    if MANIFEST not in contents:
        raise _damaged(path, f"it holds no {MANIFEST}")
    try:
        call = Call.model_validate_json(contents.pop(MANIFEST))
    except ValidationError as error:
        raise _damaged(path, f"{MANIFEST}: {describe_invalid(error)}") from None
    files = {name: content for name, content in contents.items() if not name.startswith(LOGS + "/")}
    for name in sorted(files.keys() | call.files.keys()):
        if name not in files:
            raise _damaged(path, f"{name} is missing")
        if name not in call.files or not _NAME.fullmatch(name):
            raise _damaged(path, f"{name} does not belong into it")
        if _sha256(files[name]) != call.files[name]:
            raise _damaged(path, f"{name} is not what the call left")
    return call, files


def _untar(path: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            members = [member for member in archive if member.isfile()]
            return {m.name: _content(archive, m) for m in members}
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise _damaged(path, f"it cannot be read ({error})") from None


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None  # it is a regular file
    return file.read()


def _damaged(path: Path, problem: str) -> InputError:
    return InputError(
        problem,
        remedy="nothing of it was merged; fetch the archive of `python -m bench gpu` again",
        file=str(path),
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
