"""The store: one JSON a record, predictions beside it, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bench.errors import CannotWrite, InputError
from bench.records.schema import SCHEMA_VERSION, Record
from bench.specs import describe_invalid


def write_atomic(path: Path, *content: bytes | memoryview) -> None:
    """Write the parts of ``content`` under ``path`` by temporary file, fsync and rename, or none.

    Raises:
        OSError: as the file system does; the old file, if any, is then untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            for part in content:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)  # mkstemp is private; records are for everyone
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename last; not every file system lets a folder be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _deepest_existing(folder: Path) -> Path:
    """The folder, or where it would be made: nothing is made before there is something to write."""
    return next(path for path in (folder, *folder.parents) if path.exists())


@dataclass
class Store:
    """The records under ``root`` (``BENCH_RESULTS``, default ``results/``).

    Attributes:
        repair: move a damaged record out of the way (``….json.damaged``) so that it is made anew;
            otherwise meeting one is an error and nothing is touched.
        set_aside: the damaged records moved, each with what was wrong with it.
    """

    root: Path
    repair: bool = False
    set_aside: dict[Path, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.root / "records"

    def check(self, *, writable: bool) -> None:
        """Fail early when records could not be read (or, if ``writable``, written).

        Raises:
            InputError: the folder cannot be read, or not be made and written.
        """
        try:
            if writable:
                tempfile.TemporaryFile(dir=_deepest_existing(self.folder)).close()
            with contextlib.suppress(FileNotFoundError):
                os.scandir(self.folder).close()
        except OSError as error:
            raise InputError(
                f"the results folder cannot be used ({error.strerror})",
                remedy="make it readable and writable, or set BENCH_RESULTS to another folder",
                file=str(self.folder),
            ) from error

    def path(self, record_id: str) -> Path:
        return self.folder / f"{record_id}.json"

    def predictions_path(self, record_id: str) -> Path:
        return self.folder / f"{record_id}.npz"

    def save(self, record: Record) -> None:
        """Write one record; predictions, if any, must have been written before it.

        Raises:
            CannotWrite: the disk is full, or the folder read-only.
        """
        text = record.model_dump_json(indent=1) + "\n"
        self._write(self.path(record.id), text.encode())

    def save_predictions(self, record_id: str, arrays: dict[str, NDArray[np.generic]]) -> bytes:
        """Write logits and labels as ``.npz``; returns the bytes, for their checksum."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        content = buffer.getvalue()
        self._write(self.predictions_path(record_id), content)
        return content

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        try:
            write_atomic(path, content)
        except OSError as error:
            raise CannotWrite(
                f"{path}: cannot be written ({error.strerror}); what was finished before and the "
                "last checkpoint are kept: make room or set BENCH_RESULTS, and run it again"
            ) from error

    def load(self, record_id: str) -> Record | None:
        """The record, or None if there is none (or it was damaged and is set aside).

        Raises:
            InputError: it is damaged and the store does not repair.
        """
        path = self.path(record_id)
        return self._read(path) if path.exists() else None

    def load_predictions(self, record_id: str) -> dict[str, NDArray[np.generic]]:
        """The stored logits and labels of ``val`` and ``test``.

        Raises:
            InputError: there are none, or the file is damaged.
        """
        path = self.predictions_path(record_id)
        try:
            content = io.BytesIO(path.read_bytes())  # numpy leaks the handle of a broken file
            with np.load(content, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(
                f"predictions cannot be read ({error})",
                remedy=f"delete {path.with_suffix('.json').name} beside it and run the suite again",
                file=str(path),
            ) from error

    def has_predictions(self, record: Record) -> bool:
        """Whether a finished training's predictions are the very bytes it left."""
        if record.training is None:
            return True
        try:
            content = self.predictions_path(record.id).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).hexdigest() == record.training.predictions_sha256

    def readable(self) -> tuple[list[Record], list[str]]:
        """Every whole record, and a line on each damaged one; nothing is moved or raised."""
        records: list[Record] = []
        damaged, repair = [], self.repair
        self.repair = False
        try:
            for path in sorted(self.folder.glob("*.json")):
                try:
                    records += filter(None, [self._read(path)])
                except InputError as error:
                    damaged.append(str(error))
        finally:
            self.repair = repair
        return records, damaged

    def all(self) -> list[Record]:
        """Every record, by id. Raises as ``load`` does."""
        if not self.folder.is_dir():
            return []
        read = (self._read(path) for path in sorted(self.folder.glob("*.json")))
        return [record for record in read if record is not None]

    def _read(self, path: Path) -> Record | None:
        try:
            content = path.read_bytes()
        except OSError as error:  # not the record's fault: never moved
            raise InputError(
                f"cannot be read ({error.strerror})", remedy="check the file", file=str(path)
            ) from error
        try:
            self._check_version(path, content)
            record = Record.model_validate_json(content)
            if record.id != path.stem or record.spec.id != record.id:
                raise ValueError(f"its content belongs to the id {record.spec.id}")
        except ValidationError as error:
            self._damaged(path, describe_invalid(error))
        except ValueError as error:
            self._damaged(path, str(error))
        else:
            return record
        return None

    @staticmethod
    def _check_version(path: Path, content: bytes) -> None:
        """A record of another version of this program is not damaged."""
        read = json.loads(content)
        if not isinstance(read, dict):
            raise ValueError(f"it holds {type(read).__name__}, not a record")
        version = read.get("schema_version")
        if isinstance(version, int) and version != SCHEMA_VERSION:
            raise InputError(
                f"schema version {version}, this program reads {SCHEMA_VERSION}",
                remedy="use the version of the suite that made it, or move it away",
                file=str(path),
            )

    def _damaged(self, path: Path, problem: str) -> None:
        """Name a damaged record; move it aside if this store repairs. Never skip it in silence."""
        if not self.repair:
            raise InputError(
                f"damaged record: {problem}",
                remedy="its suite's `python -m bench run` (`measure`, if it is a cost) sets it "
                "aside and makes it anew; or move it away",
                file=str(path),
            )
        aside = path.with_name(path.name + ".damaged")
        count = 1
        while aside.exists():
            count += 1
            aside = path.with_name(f"{path.name}.damaged-{count}")
        path.replace(aside)
        self.set_aside[path] = problem
