"""The twelve two-dimensional MedMNIST data sets (Yang et al., Sci Data 10:41, 2023).

Names, labels, counts, addresses and MD5 sums are the medmnist package's own ``INFO``.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.data import npz
from bench.data.arrays import Flaw
from bench.data.dataset import Dataset, Source
from bench.data.download import download
from bench.data.info import DatasetInfo
from bench.data.invariances import declared
from bench.errors import DataUnavailable, InputError

SIZES = (28, 64, 128, 224)  # pixels, as published
UNOFFICIAL = "not the official file (its MD5 differs), but whole: counts, shapes and labels agree"


@functools.cache
def info_by_flag() -> Mapping[str, Mapping[str, Any]]:
    """``medmnist.INFO`` without its 3-D sets.

    The literal is read, not imported: importing medmnist loads torch (seconds) and makes a folder
    in the user's home.

    Raises:
        InputError: the package is not installed, or its INFO is no longer a plain literal.
    """
    found = importlib.util.find_spec("medmnist")
    if found is None or not found.submodule_search_locations:
        raise InputError("package medmnist is not installed", remedy="run: make setup")
    path = Path(found.submodule_search_locations[0], "info.py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INFO":
            info: dict[str, dict[str, Any]] = ast.literal_eval(node.value)
            return {flag: entry for flag, entry in info.items() if not flag.endswith("3d")}
    raise InputError("has no INFO", remedy="install medmnist>=3.0.2", file=str(path))


def check(flag: str, source_size: int) -> DatasetInfo:
    """The outline of a MedMNIST data set, from INFO alone.

    Raises:
        InputError: no file of this size is published.
    """
    if source_size not in SIZES:
        raise InputError(
            f"{flag} has no {source_size}-pixel version",
            remedy=f"use one of {', '.join(map(str, SIZES))}; image_size may be any",
            key="source_size",
        )
    entry = info_by_flag()[flag]
    names = entry["label"]
    return DatasetInfo(
        name=flag,
        task=entry["task"],
        class_names=tuple(names[str(index)] for index in range(len(names))),
        channels=entry["n_channels"],
        counts=dict(entry["n_samples"]),
        synthetic=False,
        label_preserving=declared()[flag],
    )


def _suffix(source_size: int) -> str:
    return "" if source_size == 28 else f"_{source_size}"


def _folders() -> list[Path]:
    """Where files are looked for, in order; a download goes into the first."""
    folders = [Path.home() / ".medmnist"]
    named = os.environ.get("MEDMNIST_ROOT")
    if named:
        if not Path(named).is_dir():
            raise DataUnavailable(
                f"{named!r} is not a folder", remedy="create it or unset it", key="MEDMNIST_ROOT"
            )
        folders.insert(0, Path(named))
    return folders


def locate(flag: str, source_size: int) -> Path | None:
    """The file as it lies in MEDMNIST_ROOT or ~/.medmnist; None if it would be downloaded."""
    name = f"{flag}{_suffix(source_size)}.npz"
    return next((path for folder in _folders() if (path := folder / name).is_file()), None)


def load(flag: str, source_size: int, *, stream: bool = False) -> Dataset:
    """The data set, downloaded if it is not here.

    Args:
        stream: map the images instead of reading them.

    Raises:
        DataUnavailable: there is no file and none can be downloaded, or it is broken.
        InputError: no file of this size is published.
    """
    outline = check(flag, source_size)
    entry = info_by_flag()[flag]
    suffix = _suffix(source_size)
    path = locate(flag, source_size)
    if path is None:
        target = _folders()[0] / f"{flag}{suffix}.npz"
        path = download(entry[f"url{suffix}"], entry[f"MD5{suffix}"], target)
    try:
        return _read(
            path, outline, source_size, entry[f"MD5{suffix}"], entry["license"], stream=stream
        )
    except Flaw as flaw:
        raise DataUnavailable(
            flaw.problem,
            remedy="delete the file to have it downloaded, or put the official one in its place "
            f"({entry[f'url{suffix}']})",
            key=flaw.key,
            file=str(path),
        ) from flaw


def _read(
    path: Path,
    outline: DatasetInfo,
    source_size: int,
    official_md5: str,
    licence: str,
    *,
    stream: bool,
) -> Dataset:
    md5 = _md5(path)
    official = md5 == official_md5
    contents = npz.read(
        path, outline, source_size, checksum=f"md5:{md5}" if official else None, stream=stream
    )
    counts = {
        "train": len(contents.train),
        "val": len(contents.val),
        "test": len(contents.test),
    }
    for name, count in counts.items():
        if count != outline.counts[name]:
            raise Flaw(
                f"{count} images, MedMNIST v2 has {outline.counts[name]} (another version?)",
                f"{name}_images",
            )
    return Dataset(
        name=outline.name,
        task=outline.task,
        class_names=outline.class_names,
        source_size=source_size,
        source=Source(
            path=str(path),
            checksum=contents.checksum,
            official=official,
            licence=licence,
            note="" if official else UNOFFICIAL,
        ),
        label_preserving=outline.label_preserving,
        train=contents.train,
        val=contents.val,
        test=contents.test,
    )


def _md5(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError as error:
        raise Flaw(f"cannot be read ({error.strerror or error})") from error
