"""The labels of a data set as its file holds them, where it is at hand; no image is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data import medmnist, npz
from bench.data.arrays import Flaw, check_labels, read_arrays
from bench.records.schema import DataSeen
from bench.specs import RunSpec

Labels = dict[str, NDArray[np.int64]]
SPLITS = ("val", "test")


class LabelFiles:
    """Finds the file of a run's data and reads its labels, once each.

    Args:
        own: the files of own data sets, by name.
    """

    def __init__(self, own: Mapping[str, Path]) -> None:
        self.own = own
        self._read: dict[tuple[str, int, str], Labels | str] = {}

    def of(self, spec: RunSpec, seen: DataSeen) -> Labels | str:
        """Labels of val and test, or the reason why they cannot be compared.

        Raises:
            InputError: MEDMNIST_ROOT is not a folder.
        """
        key = (spec.data.name, spec.data.source_size, spec.data.checksum)
        if key not in self._read:
            self._read[key] = self._labels(spec, seen)
        return self._read[key]

    def _labels(self, spec: RunSpec, seen: DataSeen) -> Labels | str:
        name, path = spec.data.name, self.own.get(spec.data.name)
        if name in medmnist.info_by_flag():
            path = medmnist.locate(name, spec.data.source_size)
        if path is None or path.suffix != ".npz" or not path.is_file():
            return f"{name} is not at hand as an .npz file"
        try:
            if not _is_of(path, spec.data.checksum):
                return f"{path} holds another version of {name}"
            arrays = read_arrays(path, [f"{split}_labels" for split in SPLITS])
            multi_label = seen.task == "multi-label, binary-class"
            return {
                split: check_labels(
                    f"{split}_labels", arrays[f"{split}_labels"], len(seen.class_names), multi_label
                )
                for split in SPLITS
            }
        except Flaw as flaw:
            return f"{path}: {flaw.problem}"


def _is_of(path: Path, checksum: str) -> bool:
    """Whether a run's checksum is this file's: the MD5 of an official one, else its arrays'."""
    if not checksum.startswith("md5:"):
        return npz.checksum(path) == checksum
    try:
        with path.open("rb") as file:
            return f"md5:{hashlib.file_digest(file, 'md5').hexdigest()}" == checksum
    except OSError as error:
        raise Flaw(f"cannot be read ({error.strerror})") from error
