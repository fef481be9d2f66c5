"""Own data in one ``.npz`` of six arrays, as MedMNIST publishes its sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bench.data import npz
from bench.data.arrays import Flaw, check_labels, read_arrays
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
        shapes = {split: npz.array_shape(path, f"{split}_images") for split in SPLITS}
        channels = _channels(shapes["train"], source_size)
        multi_label, names = _classes(spec, labels)
        for split in SPLITS:  # labels against classes; the images themselves wait for ``read``
            if shapes[split][0] == 0:
                raise Flaw("holds no image", f"{split}_images")
    except Flaw as flaw:
        raise _unusable(path, flaw) from flaw
    return OwnOutline(names, channels, {s: shapes[s][0] for s in SPLITS}, multi_label)


def read(path: Path, outline: DatasetInfo, source_size: int, *, stream: bool) -> npz.Contents:
    """The three splits and their checksum; ``stream`` maps the images instead of reading them.

    Raises:
        InputError: an array is not what the outline says.
    """
    try:
        return npz.read(path, outline, source_size, stream=stream)
    except Flaw as flaw:
        raise _unusable(path, flaw) from flaw


def checksum(path: Path) -> str:
    """What ``read`` gives as the checksum, without holding the images.

    Raises:
        InputError: the file is damaged, or lacks an array.
    """
    try:
        return npz.checksum(path)
    except Flaw as flaw:
        raise _unusable(path, flaw) from flaw


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
