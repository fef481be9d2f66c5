"""Own data in one ``.npz`` of six arrays, as MedMNIST publishes its sets."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from bench.data.arrays import Flaw, arrays_checksum, check_labels, check_split, read_arrays
from bench.data.dataset import Split
from bench.data.info import SPLITS, DatasetInfo, OwnOutline
from bench.errors import InputError
from bench.specs import DatasetSpec


def outline(path: Path, spec: DatasetSpec, source_size: int) -> OwnOutline:
    """Classes, channels and counts; reads the labels and only the headers of the images.

    Raises:
        InputError: an array is missing, damaged or of another form, or labels and classes differ.
    """
    try:
        labels = read_arrays(path, [f"{split}_labels" for split in SPLITS])
        shapes = {split: _image_shape(path, f"{split}_images") for split in SPLITS}
        channels = _channels(shapes["train"], source_size)
        multi_label, names = _classes(spec, labels)
        for split in SPLITS:  # labels against classes; the images themselves wait for ``read``
            if shapes[split][0] == 0:
                raise Flaw("holds no image", f"{split}_images")
    except Flaw as flaw:
        raise _unusable(path, flaw) from flaw
    return OwnOutline(names, channels, {s: shapes[s][0] for s in SPLITS}, multi_label)


def read(path: Path, outline: DatasetInfo, source_size: int) -> tuple[dict[str, Split], str]:
    """The three splits and their checksum.

    Raises:
        InputError: an array is not what the outline says.
    """
    try:
        arrays = read_arrays(path)
        splits = {
            split: check_split(
                split,
                arrays,
                size=source_size,
                channels=outline.channels,
                classes=outline.num_classes,
                multi_label=outline.task == "multi-label, binary-class",
            )
            for split in SPLITS
        }
    except Flaw as flaw:
        raise _unusable(path, flaw) from flaw
    return splits, arrays_checksum(arrays)


def _image_shape(path: Path, key: str) -> tuple[int, ...]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
            read_header = {
                (1, 0): npy.read_array_header_1_0,
                (2, 0): npy.read_array_header_2_0,
            }[npy.read_magic(file)]
            shape, _, _ = read_header(file)
    except KeyError as error:
        raise Flaw(f"has no array {key!r}", key) from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise Flaw("is damaged (its header does not decode)", key) from error
    return tuple(shape)


def _channels(shape: tuple[int, ...], source_size: int) -> int:
    square = (source_size, source_size)
    if len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3)):
        if shape[1:3] != square:
            raise Flaw(
                f"images are {shape[1]}×{shape[2]} and source_size is {source_size}",
                "train_images",
            )
        return shape[3] if len(shape) == 4 else 1
    raise Flaw(f"has shape {shape}, not (N, S, S) or (N, S, S, 3)", "train_images")


def _classes(spec: DatasetSpec, labels: Mapping[str, NDArray[Any]]) -> tuple[bool, tuple[str, ...]]:
    """Whether images have several labels each, and the classes' names."""
    shape = labels["train_labels"].shape
    multi_label = len(shape) == 2 and shape[1] > 1
    if spec.classes is not None:
        names = tuple(spec.classes)
        if multi_label and len(names) != shape[1]:
            raise Flaw(
                f"has {shape[1]} labels an image, classes names {len(names)}", "train_labels"
            )
    else:
        whole = [array for array in labels.values() if array.dtype.kind in "iu"]
        highest = max((int(array.max(initial=0)) for array in whole), default=1)
        names = tuple(str(index) for index in range(shape[1] if multi_label else highest + 1))
    if len(names) < 2:
        raise Flaw("there is only one class", "train_labels")
    if len(set(names)) < len(names):
        raise Flaw(f"classes names {sorted(names)}: one stands there twice", "classes")
    for key, array in labels.items():
        check_labels(key, array, len(names), multi_label)
    if not multi_label:
        seen = set(labels["train_labels"].ravel().tolist())
        unseen = [name for index, name in enumerate(names) if index not in seen]
        if unseen:
            raise Flaw(f"has no image of {unseen[0]!r} to learn from", "train_labels")
    return multi_label, names


def _unusable(path: Path, flaw: Flaw) -> InputError:
    return InputError(
        flaw.problem,
        remedy="make it as MedMNIST's files are: uint8 images (N, S, S[, 3]) with S = source_size, "
        "integer labels (N, 1)",
        key=flaw.key,
        file=str(path),
    )
