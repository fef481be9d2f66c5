"""Data sets by name: what is known of one before it is read, and the reading."""

from __future__ import annotations

from bench.data import medmnist, own, phantom
from bench.data.dataset import Dataset
from bench.data.info import DatasetInfo
from bench.errors import InputError, nearest
from bench.specs import DatasetSpec

OWN_KEYS = ("task", "classes", "label_preserving")


def names() -> list[str]:
    """Every data set known by name: the phantoms and the 2-D MedMNIST sets."""
    return [*phantom.CLASS_NAMES, *medmnist.info_by_flag()]


def check(spec: DatasetSpec, source_size: int) -> DatasetInfo:
    """What is known of a data set without reading its images; downloads nothing.

    Raises:
        InputError: an unknown name, a size it does not come in, or a key that it does not take.
    """
    _check_keys(spec)
    if spec.path is not None:
        return own.check(spec, source_size)
    if spec.name in phantom.CLASS_NAMES:
        return phantom.check(spec.name, spec.options, source_size)
    return medmnist.check(spec.name, source_size)


def load(spec: DatasetSpec, source_size: int, *, stream: bool = False) -> Dataset:
    """The data set, its test split locked.

    Args:
        stream: leave the images on disk, mapped; a phantom is drawn in memory all the same.

    Raises:
        InputError: as ``check``, or own data that cannot be used.
        DataUnavailable: a MedMNIST file is not here and cannot be downloaded, or is broken.
    """
    _check_keys(spec)
    if spec.path is not None:
        return own.load(spec, source_size, stream=stream)
    if spec.name in phantom.CLASS_NAMES:
        return phantom.load(spec.name, spec.options, source_size)
    return medmnist.load(spec.name, source_size, stream=stream)


def checksum(spec: DatasetSpec, source_size: int) -> str:
    """The checksum of a phantom or of own data as ``load`` gives it; images are not held.

    Raises:
        InputError: as ``load``.
    """
    _check_keys(spec)
    if spec.path is not None:
        return own.checksum(spec, source_size)
    return load(spec, source_size).source.checksum


def _check_keys(spec: DatasetSpec) -> None:
    """Refuse a name or a key that this kind of data set does not take."""
    known = names()
    key = f"dataset.{spec.name}"
    if spec.path is not None:
        if spec.name in known:
            raise InputError(
                f"{spec.name!r} is a published data set's name",
                remedy="give your own data another name",
                key=key,
            )
    elif spec.name not in known:
        raise InputError(
            f"unknown data set {spec.name!r}",
            remedy=f"{nearest(spec.name, known)} (own data needs a path)",
            key=key,
        )
    else:
        for taken in OWN_KEYS:
            if getattr(spec, taken):
                raise InputError(
                    f"{spec.name} takes no {taken}; it is for data given by path",
                    remedy="leave it out",
                    key=f"{key}.{taken}",
                )
    if spec.options and spec.name not in phantom.CLASS_NAMES:
        raise InputError(
            "only the phantoms take options", remedy="leave them out", key=f"{key}.options"
        )
