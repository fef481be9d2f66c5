"""The three splits of an ``.npz`` in MedMNIST's form, read whole or mapped where they lie.

An ``.npz`` is a zip of ``.npy`` files. The content of one that is only stored in it is a stretch of
the file and is mapped in place; one that is compressed is unpacked once, block by block, into the
cache. Formats: APPNOTE.TXT of PKWARE, section 4.3.7; NEP 1 of NumPy.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bench.data.arrays import (
    Arrays,
    Flaw,
    arrays_checksum,
    check_image_shape,
    check_labels,
    check_split,
    content_checksum,
    described,
    read_arrays,
)
from bench.data.cache import Cache
from bench.data.dataset import LockedSplit, Split
from bench.data.info import SPLITS, DatasetInfo
from bench.errors import RunFailed

BLOCK_BYTES = 1 << 22
LOCAL_HEADER = struct.Struct("<26x2H")  # ends in the lengths of the name and of the extra field

Damage = (ValueError, EOFError, OSError, struct.error, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Contents:
    """The splits of one file, and the checksum that says what they hold."""

    train: Split
    val: Split
    test: LockedSplit
    checksum: str


def read(
    path: Path, outline: DatasetInfo, size: int, *, checksum: str | None = None, stream: bool
) -> Contents:
    """The splits of a file, checked against the outline.

    Args:
        size: pixels of the stored images.
        checksum: where it is known; otherwise it is taken over the arrays.
        stream: map the images instead of reading them; nothing of the test images is mapped or
            unpacked before their lock opens.

    Raises:
        Flaw: the file is damaged, or not what the outline says.
    """
    if stream:
        return _mapped(path, outline, size, checksum)
    arrays = read_arrays(path)
    splits = {
        name: check_split(
            name,
            arrays,
            size=size,
            channels=outline.channels,
            classes=outline.num_classes,
            multi_label=_is_multi_label(outline),
        )
        for name in SPLITS
    }
    return Contents(
        splits["train"],
        splits["val"],
        LockedSplit(splits["test"]),
        checksum or arrays_checksum(arrays),
    )


def _mapped(path: Path, outline: DatasetInfo, size: int, checksum: str | None) -> Contents:
    written = _written(path)
    labels = read_arrays(path, [f"{name}_labels" for name in SPLITS])
    members = {name: Member.of(path, f"{name}_images") for name in SPLITS}
    checked = {}
    for name, member in members.items():
        check_image_shape(member.key, member.dtype, member.shape, size, outline.channels)
        key = f"{name}_labels"
        checked[name] = check_labels(
            key, labels[key], outline.num_classes, _is_multi_label(outline)
        )
        if len(checked[name]) != member.shape[0]:
            raise Flaw(f"{len(checked[name])} labels for {member.shape[0]} images", key)
    known = checksum or _content_checksum(members.values(), labels)
    cache, wanted = Cache.from_environment(), (size, size, outline.channels)

    def split(name: str) -> Split:
        images = members[name].mapped(cache, known)
        return Split(name, images.reshape(-1, *wanted), checked[name])

    def test_split() -> Split:
        try:
            same = _written(path) == written
        except Flaw:  # it is gone
            same = False
        if not same:
            raise RunFailed(f"{path} has changed while its images were streamed; run it again")
        return split("test")

    test = LockedSplit.later(len(checked["test"]), test_split)
    return Contents(split("train"), split("val"), test, known)


def _written(path: Path) -> tuple[int, int, int]:
    """What differs once the file was replaced or written to.

    Raises:
        Flaw: it cannot be read.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise Flaw(f"cannot be read ({error.strerror or error})") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def checksum(path: Path) -> str:
    """The checksum that ``read`` takes over the arrays, without holding the images.

    Raises:
        Flaw: the file is damaged, or lacks an array.
    """
    labels = read_arrays(path, [f"{name}_labels" for name in SPLITS])
    return _content_checksum([Member.of(path, f"{name}_images") for name in SPLITS], labels)


def _content_checksum(members: Iterable[Member], labels: Arrays) -> str:
    arrays: dict[str, tuple[str, Iterable[NDArray[Any]]]] = {
        key: (described(key, array.dtype, array.shape), [np.ascontiguousarray(array)])
        for key, array in labels.items()
    }
    for member in members:
        line = described(member.key, member.dtype, member.shape)
        arrays[member.key] = (line, member.blocks())
    return content_checksum(arrays)


def _is_multi_label(outline: DatasetInfo) -> bool:
    return outline.task == "multi-label, binary-class"


@dataclass(frozen=True)
class Member:
    """One array of an ``.npz`` as its headers describe it.

    Attributes:
        place: where its content begins in the file, if it is stored as it is.
    """

    path: Path
    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    place: int | None

    @classmethod
    def of(cls, path: Path, key: str) -> Member:
        """Reads the headers alone.

        Raises:
            Flaw: the array is missing, its header is damaged, or its order is Fortran's.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                info = archive.getinfo(f"{key}.npy")
                with archive.open(info) as content:
                    shape, fortran, dtype = _read_header(content)
                    header_bytes = content.tell()
            place = None
            if info.compress_type == zipfile.ZIP_STORED:
                place = _data_offset(path, info) + header_bytes
            if info.file_size != header_bytes + math.prod(shape) * dtype.itemsize:
                raise Flaw("is damaged (its length is not what its header says)", key)
        except KeyError as error:
            raise Flaw(f"has no array {key!r}", key) from error
        except Damage as error:
            raise Flaw("is damaged (its header does not decode)", key) from error
        if fortran and len(shape) > 1:
            raise Flaw("is in Fortran order; only C order can be streamed", key)
        return cls(path, key, tuple(shape), dtype, place)

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """The rows, block by block; the zip's CRC is checked at the end.

        Raises:
            Flaw: the content does not decode, or not to what was packed.
        """
        row = self.shape[1:]
        row_bytes = math.prod(row)
        rows_per_block = max(1, BLOCK_BYTES // row_bytes)
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.key}.npy") as content:
                _read_header(content)
                for start in range(0, self.shape[0], rows_per_block):
                    count = min(rows_per_block, self.shape[0] - start)
                    block = content.read(count * row_bytes)
                    yield np.frombuffer(block, np.uint8).reshape(count, *row)
        except Damage as error:
            raise Flaw("is damaged (its bytes do not decode)", self.key) from error

    def mapped(self, cache: Cache, checksum: str) -> NDArray[np.uint8]:
        """The whole array, read-only, on disk wherever the cache can hold it.

        Args:
            checksum: of the file or its arrays, for the cache's key.
        """
        if self.place is not None:
            return np.memmap(self.path, np.uint8, mode="r", offset=self.place, shape=self.shape)
        return cache.array(f"{checksum} {self.key} unpacked", self.shape, self.blocks)


def array_shape(path: Path, key: str) -> tuple[int, ...]:
    """The shape of one array, from its header.

    Raises:
        Flaw: the array is missing, or its header is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as content:
            return _read_header(content)[0]
    except KeyError as error:
        raise Flaw(f"has no array {key!r}", key) from error
    except Damage as error:
        raise Flaw("is damaged (its header does not decode)", key) from error


def _read_header(content: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether the order is Fortran's, and dtype; ``content`` stands behind it then."""
    version = npy.read_magic(content)
    if version == (1, 0):
        return npy.read_array_header_1_0(content)
    return npy.read_array_header_2_0(content)


def _data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a member's data begins: its local header may be longer than the directory's entry."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        name_bytes, extra_bytes = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    return info.header_offset + LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)
