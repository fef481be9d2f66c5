"""Arrays made once and kept as files, mapped into memory: processes share their pages, and the
second one starts at once.

A file is a plain ``.npy`` with the SHA-256 of all before it at its end, written beside its name and
renamed. One that is cut or damaged is made anew. Where nothing can be kept the array is held in
memory, and one line says why.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import io
import logging
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bench.errors import InputError

log = logging.getLogger(__name__)

GB = 10**9
DEFAULT_BUDGET_GB = 4.0
BLOCK_BYTES = 1 << 20
ABANDONED_S = 3600.0  # after this long without a write, a file being written has lost its writer

Shape = tuple[int, ...]
Made = Callable[[], Iterable[NDArray[np.uint8]]]
"""Makes an array anew, as consecutive pieces along its first axis."""


@dataclass(frozen=True)
class Cache:
    """A folder of arrays.

    Attributes:
        folder: made when first needed; None: nothing is kept.
        budget_bytes: what all files may take together; the least recently used go first.
    """

    folder: Path | None
    budget_bytes: int = int(DEFAULT_BUDGET_GB * GB)

    @classmethod
    def from_environment(cls) -> Cache:
        """As ``BENCH_CACHE`` (a folder; empty: none) and ``BENCH_CACHE_GB`` say.

        Raises:
            InputError: ``BENCH_CACHE_GB`` is not a size.
        """
        named = os.environ.get("BENCH_CACHE")
        if named is None:
            base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
            named = f"{base}/medspectral-bench"
        return cls(Path(named).expanduser().absolute() if named else None, _budget_bytes())

    def array(
        self, key: str, shape: Shape, made: Made, *, copy_on_write: bool = False
    ) -> NDArray[np.uint8]:
        """The array of this key: mapped from its file where it can be kept, else in memory.

        Args:
            key: says all that decides the content.
            made: called if there is no whole file.
            copy_on_write: a map that can be written, for this process alone; otherwise it is
                read-only.

        Raises:
            ValueError: ``made`` does not make an array of this shape.
        """
        size = _file_bytes(shape)
        if self.folder is None:
            return _in_memory(shape, made())
        if size > self.budget_bytes:
            _say_once(
                f"{size / GB:.2g} GB are more than the cache may hold; held in memory "
                "(set BENCH_CACHE_GB higher to keep them)"
            )
            return _in_memory(shape, made())
        path = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npy"
        found = _open(path, shape, copy_on_write)
        if found is not None:
            return found
        try:
            return self._write(path, shape, made(), copy_on_write)
        except OSError as error:
            _say_once(f"{self.folder}: nothing can be cached here ({error.strerror or error})")
            return _in_memory(shape, made())

    def scratch(self, shape: Shape) -> NDArray[np.uint8]:
        """An array of zeros in a file without a name, which goes with the process."""
        if self.folder is None:
            return np.zeros(shape, dtype=np.uint8)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder) as file:
                _allocate(file, math.prod(shape))
                return np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
        except OSError as error:
            _say_once(f"{self.folder}: nothing can be cached here ({error.strerror or error})")
            return np.zeros(shape, dtype=np.uint8)

    def _write(
        self, path: Path, shape: Shape, pieces: Iterable[NDArray[np.uint8]], copy_on_write: bool
    ) -> NDArray[np.uint8]:
        """The file whole or not at all. Not synced: what a power cut takes, the checksum shows."""
        part = self._reserve(path, _file_bytes(shape))
        try:
            with part.open("r+b") as file:
                digest = hashlib.sha256(_header(shape))
                file.write(_header(shape))
                for piece in _checked(shape, pieces):
                    digest.update(piece.data)
                    file.write(piece.data)
                file.write(digest.digest())
                file.flush()
                array = _map(file, shape, copy_on_write)  # now: another may drop it at once
            part.chmod(0o644)  # mkstemp makes it the owner's alone
            part.replace(path)
            return array
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _reserve(self, path: Path, size: int) -> Path:
        """An empty file of the whole size, room made for it in the budget."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            self._make_room(path.parent, size)
            handle, name = tempfile.mkstemp(
                dir=path.parent, prefix=f".{path.name}.", suffix=".part"
            )
            with os.fdopen(handle, "wb") as file:
                file.truncate(size)
        return Path(name)

    def _make_room(self, folder: Path, size: int) -> None:
        """Drop the least recently used until ``size`` bytes fit; processes keep what they map."""
        now = time.time()
        kept: list[tuple[float, int, Path]] = []
        for path in (*folder.glob("*.npy"), *folder.glob(".*.part")):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                if path.suffix == ".part" and now - stat.st_mtime > ABANDONED_S:
                    path.unlink()
                else:
                    kept.append((stat.st_mtime, stat.st_size, path))
        total = size + sum(taken for _, taken, _ in kept)
        for _, taken, path in sorted(kept):
            if total > self.budget_bytes and path.suffix == ".npy":
                path.unlink(missing_ok=True)
                total -= taken
        if total > self.budget_bytes:
            raise OSError("other processes are filling it")


def _allocate(file: IO[bytes], size: int) -> None:
    """Claim the room now: a full disk under a mapped file would end the process by SIGBUS."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)


def _budget_bytes() -> int:
    text = os.environ.get("BENCH_CACHE_GB") or str(DEFAULT_BUDGET_GB)
    try:
        size = float(text)
    except ValueError:
        size = math.nan
    if not 0 <= size < math.inf:
        raise InputError(
            f"{text!r} is not a size in GB", remedy="give a number, 0 or more", key="BENCH_CACHE_GB"
        )
    return int(size * GB)


@functools.cache
def _say_once(line: str) -> None:
    log.warning(line)


@functools.cache
def _header(shape: Shape) -> bytes:
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def _file_bytes(shape: Shape) -> int:
    return len(_header(shape)) + math.prod(shape) + hashlib.sha256().digest_size


def _open(path: Path, shape: Shape, copy_on_write: bool) -> NDArray[np.uint8] | None:
    """The array in a whole file of this shape; None if there is none."""
    try:
        with path.open("rb") as file:
            if _is_whole(file, shape):
                with contextlib.suppress(OSError):  # another's folder, read-only
                    os.utime(path)  # used just now
                return _map(file, shape, copy_on_write)
    except OSError:
        return None
    log.warning("%s: damaged, made anew", path)
    return None


def _map(file: BinaryIO, shape: Shape, copy_on_write: bool) -> NDArray[np.uint8]:
    mode: Literal["c", "r"] = "c" if copy_on_write else "r"
    return np.memmap(file, np.uint8, mode=mode, offset=len(_header(shape)), shape=shape)


def _is_whole(file: BinaryIO, shape: Shape) -> bool:
    header = _header(shape)
    if os.fstat(file.fileno()).st_size != _file_bytes(shape) or file.read(len(header)) != header:
        return False
    digest, left = hashlib.sha256(header), math.prod(shape)
    while left and (block := file.read(min(BLOCK_BYTES, left))):
        digest.update(block)
        left -= len(block)
    return file.read() == digest.digest()


def _checked(shape: Shape, pieces: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """The pieces, C-contiguous, once they are known to make up ``shape``."""
    count = 0
    for piece in pieces:
        if piece.dtype != np.uint8 or piece.shape[1:] != shape[1:]:
            raise ValueError(f"a piece is {piece.dtype} {piece.shape}, the array uint8 {shape}")
        count += len(piece)
        yield np.ascontiguousarray(piece)
    if count != shape[0]:
        raise ValueError(f"{count} rows were made, the array has {shape[0]}")


def _in_memory(shape: Shape, pieces: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    array, start = np.empty(shape, dtype=np.uint8), 0
    for piece in _checked(shape, pieces):
        array[start : start + len(piece)] = piece
        start += len(piece)
    return array


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time makes room; where the file system has no locks, all may at once."""
    with (folder / ".lock").open("w") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
