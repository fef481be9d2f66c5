"""The user's own data: a folder ``split/class/image``, or an ``.npz`` in MedMNIST's form."""

from __future__ import annotations

from pathlib import Path

from bench.data import own_folder, own_npz
from bench.data.dataset import Dataset, Source
from bench.data.info import DatasetInfo
from bench.data.invariances import check_names
from bench.errors import InputError
from bench.specs import DatasetSpec, Task

MULTI_LABEL: Task = "multi-label, binary-class"


def check(spec: DatasetSpec, source_size: int) -> DatasetInfo:
    """The outline of own data, from folder listings and file headers.

    Raises:
        InputError: no such file or folder, or its form is not one of the two.
    """
    key = f"dataset.{spec.name}"
    kept = check_names(spec.label_preserving, f"{key}.label_preserving")
    path = _path(spec)
    if path.is_dir():
        if spec.classes is not None:
            raise InputError(
                "a folder's classes are its sub-folders' names",
                remedy="leave classes out",
                key=f"{key}.classes",
            )
        try:
            outline = own_folder.outline(path)
        except InputError as error:
            raise error.in_file(str(path), f"{key}.path") from None
    else:
        outline = own_npz.outline(path, spec, source_size)
    task = _task(spec, len(outline.class_names), outline.multi_label)
    return DatasetInfo(
        name=spec.name,
        task=task,
        class_names=outline.class_names,
        channels=outline.channels,
        counts=outline.counts,
        synthetic=False,
        label_preserving=kept,
    )


def load(spec: DatasetSpec, source_size: int, *, stream: bool = False) -> Dataset:
    """Own data; images of a folder are resized to ``source_size`` (antialiased).

    Args:
        stream: leave the images on disk: those of an ``.npz`` are mapped, those of a folder are
            decoded into a file that goes with the process.

    Raises:
        InputError: as ``check``, or an unreadable image or a damaged array.
    """
    outline = check(spec, source_size)
    path = _path(spec)
    if path.is_dir():
        try:
            contents = own_folder.read(path, outline, source_size, stream=stream)
        except InputError as error:
            raise error.in_file(str(path), f"dataset.{spec.name}.path") from None
    else:
        contents = own_npz.read(path, outline, source_size, stream=stream)
    return Dataset(
        name=spec.name,
        task=outline.task,
        class_names=outline.class_names,
        source_size=source_size,
        source=Source(str(path), contents.checksum, official=None),
        label_preserving=outline.label_preserving,
        train=contents.train,
        val=contents.val,
        test=contents.test,
    )


def checksum(spec: DatasetSpec, source_size: int) -> str:
    """The checksum of own data as ``load`` gives it, without holding its images.

    Raises:
        InputError: as ``load``.
    """
    path = _path(spec)
    if path.is_dir():
        return load(spec, source_size, stream=True).source.checksum
    return own_npz.checksum(path)


def _path(spec: DatasetSpec) -> Path:
    path = Path(spec.path or "").expanduser()
    if path.is_dir() or (path.is_file() and path.suffix == ".npz"):
        return path
    raise InputError(
        f"{str(path)!r} is neither a folder nor an .npz file"
        if path.exists()
        else f"{str(path)!r} does not exist",
        remedy="give a folder train|val|test/<class>/<image> or an .npz in MedMNIST's form",
        key=f"dataset.{spec.name}.path",
    )


def _task(spec: DatasetSpec, classes: int, multi_label: bool) -> Task:
    """The task as stated, if the labels allow it; otherwise the plain one for their form."""
    if spec.task is None:
        if multi_label:
            return MULTI_LABEL
        return "binary-class" if classes == 2 else "multi-class"
    key = f"dataset.{spec.name}.task"
    if multi_label != (spec.task == MULTI_LABEL):
        form = "several labels" if multi_label else "one label"
        raise InputError(f"is {spec.task!r}, but images have {form} each", remedy="fix it", key=key)
    if spec.task == "binary-class" and classes != 2:
        raise InputError(
            f"is binary-class, but there are {classes} classes", remedy="fix it", key=key
        )
    return spec.task
