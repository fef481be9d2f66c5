"""Own data in folders ``train|val|test/<class>/<image>``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.data.arrays import arrays_checksum
from bench.data.cache import Cache
from bench.data.dataset import LockedSplit, Split
from bench.data.info import SPLITS, DatasetInfo, OwnOutline
from bench.data.npz import Contents
from bench.errors import InputError

GREY_MODES = {"1", "L", "LA"}
RGB_MODES = {"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"}
FORM = "make it train|val|test/<class>/<image>"


def outline(root: Path) -> OwnOutline:
    """Classes, channels (1 if every image is grey) and counts; decodes no image.

    Raises:
        InputError: a split is missing or empty, val or test has a class that train has not, or a
            file is no image.
    """
    found = {split: _list_split(root / split) for split in SPLITS}
    names = tuple(sorted(found["train"]))
    for split in SPLITS:
        unknown = sorted(set(found[split]) - set(names))
        if unknown:
            raise InputError(
                f"class {unknown[0]!r} has no folder in train",
                remedy="give it training images, or correct the folder's name",
                file=str(root / split / unknown[0]),
            )
    if len(names) < 2:
        raise InputError("there is only one class", remedy=FORM, file=str(root))
    files = [file for split in found.values() for images in split.values() for file in images]
    grey = {_mode(file) for file in files} <= GREY_MODES
    counts = {split: sum(map(len, found[split].values())) for split in SPLITS}
    return OwnOutline(names, 1 if grey else 3, counts, multi_label=False)


def read(root: Path, outline: DatasetInfo, source_size: int, *, stream: bool) -> Contents:
    """The three splits, images resized to ``source_size`` (bilinear, antialiased), and a checksum.

    An image that is not square is squeezed into the square, not cropped.

    Args:
        stream: hold the decoded images in a file of the cache's folder, not in memory.

    Raises:
        InputError: an image cannot be decoded.
    """
    cache = Cache.from_environment() if stream else Cache(None)
    splits = {}
    for split in SPLITS:
        found = _list_split(root / split)
        pairs = [
            (file, label)
            for label, name in enumerate(outline.class_names)
            for file in found.get(name, [])
        ]
        images = cache.scratch((len(pairs), source_size, source_size, outline.channels))
        for place, (file, _) in enumerate(pairs):
            images[place] = _decode(file, source_size, outline.channels)
        labels = np.array([label for _, label in pairs], dtype=np.int64)
        splits[split] = Split(split, images, labels)
    arrays = {
        f"{name}_{kind}": getattr(split, kind)
        for name, split in splits.items()
        for kind in ("images", "labels")
    }
    return Contents(
        splits["train"], splits["val"], LockedSplit(splits["test"]), arrays_checksum(arrays)
    )


def _list_split(folder: Path) -> dict[str, list[Path]]:
    """Class → its files in sorted order; hidden files (``.DS_Store``) are not images."""
    if not folder.is_dir():
        raise InputError("no such folder", remedy=FORM, file=str(folder))
    found = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            raise InputError("lies outside a class folder", remedy=FORM, file=str(entry))
        files = sorted(file for file in entry.iterdir() if not file.name.startswith("."))
        if files:
            found[entry.name] = files
    if not found:
        raise InputError("the split holds no image", remedy=FORM, file=str(folder))
    return found


def _mode(file: Path) -> str:
    try:
        with Image.open(file) as image:
            mode = image.mode
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(file, "is not a readable image") from error
    if mode not in GREY_MODES | RGB_MODES:
        raise _unreadable(file, f"has pixel type {mode}, not 8 bits a channel")
    return mode


def _decode(file: Path, size: int, channels: int) -> NDArray[np.uint8]:
    """One image ``(size, size, channels)``."""
    try:
        with Image.open(file) as image:
            plain = image.convert("L" if channels == 1 else "RGB")
            resized = plain.resize((size, size), Image.Resampling.BILINEAR)  # antialiases
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(file, "is damaged or cut off") from error
    return np.asarray(resized, dtype=np.uint8).reshape(size, size, channels)


def _unreadable(file: Path, problem: str) -> InputError:
    return InputError(problem, remedy="convert it to 8-bit PNG or remove it", file=str(file))
