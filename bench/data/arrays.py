"""Reading and checking six arrays in MedMNIST's form: ``{train,val,test}_{images,labels}``.

Shapes: images ``(N, S, S)`` or ``(N, S, S, 3)`` uint8, labels ``(N, 1)``, ``(N,)`` or, with several
labels per image, ``(N, L)`` of 0 and 1.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data.dataset import Split
from bench.data.info import SPLITS

KEYS = tuple(f"{split}_{kind}" for split in SPLITS for kind in ("images", "labels"))
Arrays = Mapping[str, NDArray[Any]]


class Flaw(Exception):
    """What is wrong with a file's arrays; the caller knows the file and the remedy.

    Args:
        problem: what is wrong, with the offending value.
        key: the array at fault (``train_labels``), if it is one.
    """

    def __init__(self, problem: str, key: str | None = None) -> None:
        self.problem, self.key = problem, key
        super().__init__(problem)


def read_arrays(path: Path, keys: Iterable[str] = KEYS) -> dict[str, NDArray[Any]]:
    """The named arrays of an ``.npz`` file.

    Raises:
        Flaw: the file cannot be read, is cut off or damaged, or lacks an array.
    """
    try:
        with path.open("rb") as opened:  # np.load leaks its own handle when the archive is cut off
            file = np.load(opened, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise Flaw("holds a single array, not an .npz archive")
            missing = [key for key in keys if key not in file]
            if missing:
                raise Flaw(f"has no array {missing[0]!r}", missing[0])
            return {key: _read_one(file, key) for key in keys}
    except OSError as error:
        raise Flaw(f"cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise Flaw("is not a whole .npz archive (cut off or damaged)") from error


def _read_one(file: np.lib.npyio.NpzFile, key: str) -> NDArray[Any]:
    try:
        return np.asarray(file[key])
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise Flaw("is damaged (its bytes do not decode)", key) from error


def check_split(
    name: str, arrays: Arrays, *, size: int, channels: int, classes: int, multi_label: bool
) -> Split:
    """One split, its images brought to ``(N, S, S, C)`` and its labels to int64.

    Raises:
        Flaw: a dtype, shape, count or label is not what ``size``, ``channels`` and ``classes`` say.
    """
    images = _check_images(f"{name}_images", arrays[f"{name}_images"], size, channels)
    key = f"{name}_labels"
    labels = check_labels(key, arrays[key], classes, multi_label)
    if len(labels) != len(images):
        raise Flaw(f"{len(labels)} labels for {len(images)} images", key)
    return Split(name, images, labels)


def _check_images(key: str, images: NDArray[Any], size: int, channels: int) -> NDArray[np.uint8]:
    check_image_shape(key, images.dtype, images.shape, size, channels)
    return np.ascontiguousarray(images.reshape(len(images), size, size, channels), dtype=np.uint8)


def check_image_shape(
    key: str, dtype: np.dtype[Any], shape: tuple[int, ...], size: int, channels: int
) -> None:
    """Refuse images that are not uint8 ``(N, size, size[, channels])``, at least one of them.

    Raises:
        Flaw: the dtype or the shape is another.
    """
    if dtype != np.uint8:
        raise Flaw(f"is {dtype}, not uint8", key)
    if shape[:1] == (0,):
        raise Flaw("holds no image", key)
    wanted = (size, size) if channels == 1 else (size, size, channels)
    if shape[1:] not in (wanted, (size, size, channels)):
        raise Flaw(f"images have shape {shape[1:]}, not {wanted}", key)


def check_labels(
    key: str, labels: NDArray[Any], classes: int, multi_label: bool
) -> NDArray[np.int64]:
    """Labels as int64, ``(N,)`` or, with several labels an image, ``(N, classes)``.

    Raises:
        Flaw: a dtype, a shape or a label is not what ``classes`` says.
    """
    if labels.dtype.kind not in "iu":
        raise Flaw(f"is {labels.dtype}, not an integer type", key)
    width = classes if multi_label else 1
    if not multi_label and labels.ndim == 1:
        labels = labels[:, None]
    if labels.ndim != 2 or labels.shape[1] != width:
        raise Flaw(f"has shape {labels.shape}, not (N, {width})", key)
    highest = 1 if multi_label else classes - 1
    outside = labels[(labels < 0) | (labels > highest)]
    if outside.size:
        what = "is neither 0 nor 1" if multi_label else f"is outside the classes 0–{highest}"
        raise Flaw(f"label {int(outside[0])} {what}", key)
    whole = labels.astype(np.int64)
    return whole if multi_label else whole[:, 0]


def arrays_checksum(arrays: Arrays) -> str:
    """``sha256:…`` over names, dtypes, shapes and bytes, so that packing does not matter."""
    return content_checksum(
        {
            key: (described(key, array.dtype, array.shape), [np.ascontiguousarray(array)])
            for key, array in arrays.items()
        }
    )


def described(key: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    """The line that stands before an array's bytes in a checksum."""
    return f"{key} {dtype.str} {shape}\n"


def content_checksum(arrays: Mapping[str, tuple[str, Iterable[NDArray[Any]]]]) -> str:
    """``arrays_checksum`` of arrays that come block by block, each with its description."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        description, blocks = arrays[key]
        digest.update(description.encode())
        for block in blocks:
            digest.update(block.data)
    return f"sha256:{digest.hexdigest()}"
