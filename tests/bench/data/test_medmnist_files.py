"""MedMNIST files: official, whole but unofficial, and every way of being broken."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.data import catalog, medmnist
from bench.data.dataset import Dataset
from bench.errors import DataUnavailable, InputError
from bench.specs import DatasetSpec

Arrays = dict[str, Any]
StandIn = Callable[[str, int], Arrays]


class Final:
    is_final = True


def load(name: str, size: int = 28) -> Dataset:
    return catalog.load(DatasetSpec(name=name), size)


@pytest.mark.parametrize(
    ("flag", "size", "channels", "classes", "label_shape"),
    [
        ("breastmnist", 64, 1, 2, (546,)),
        ("organsmnist", 28, 1, 11, (13932,)),
        ("bloodmnist", 28, 3, 8, (11959,)),
        ("chestmnist", 28, 1, 14, (78468, 14)),
        ("retinamnist", 28, 3, 5, (1080,)),
    ],
)
def test_whole_file_that_is_not_official_is_accepted_with_its_own_checksum(
    medmnist_root: Path,
    stand_in: StandIn,
    flag: str,
    size: int,
    channels: int,
    classes: int,
    label_shape: tuple[int, ...],
) -> None:
    arrays = stand_in(flag, size)
    suffix = "" if size == 28 else f"_{size}"
    np.savez(medmnist_root / f"{flag}{suffix}.npz", **arrays)
    data = load(flag, size)
    assert data.source.official is False
    assert data.source.checksum.startswith("sha256:")
    assert "not the official file" in data.source.note
    assert data.train.images.shape == (label_shape[0], size, size, channels)
    assert data.train.labels.shape == label_shape
    assert data.train.labels.dtype == np.int64
    assert data.num_classes == classes
    outline = catalog.check(DatasetSpec(name=flag), size)
    assert outline.channels == data.channels
    assert dict(outline.counts) == {
        "train": len(data.train),
        "val": len(data.val),
        "test": len(data.test),
    }
    test = data.test.open(Final())
    np.testing.assert_array_equal(
        test.images.reshape(arrays["test_images"].shape), arrays["test_images"]
    )


def test_repacking_does_not_change_the_checksum_but_a_pixel_does(
    medmnist_root: Path, stand_in: StandIn
) -> None:
    arrays, path = stand_in("breastmnist", 28), medmnist_root / "breastmnist.npz"
    np.savez(path, **arrays)
    plain = load("breastmnist").source.checksum
    np.savez_compressed(path, **dict(reversed(arrays.items())))
    assert load("breastmnist").source.checksum == plain
    arrays["test_images"][3, 2, 1] ^= 1
    np.savez(path, **arrays)
    assert load("breastmnist").source.checksum != plain


def test_official_md5_is_the_checksum(
    medmnist_root: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = medmnist_root / "breastmnist.npz"
    np.savez(path, **stand_in("breastmnist", 28))
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    entry = {**medmnist.info_by_flag()["breastmnist"], "MD5": md5}
    monkeypatch.setattr(medmnist, "info_by_flag", lambda: {"breastmnist": entry})
    source = load("breastmnist").source
    assert (source.official, source.checksum, source.note) == (True, f"md5:{md5}", "")


def drop(key: str) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.__delitem__(key)


def put(key: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.__setitem__(key, change(arrays[key]))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (drop("val_labels"), "val_labels: has no array 'val_labels'"),
        (put("train_images", lambda a: a[:-1]), "train_labels: 546 labels for 545 images"),
        (put("test_labels", lambda a: a + 1), "test_labels: label 2 is outside the classes 0–1"),
        (put("val_images", lambda a: a.astype(np.float32)), "val_images: is float32, not uint8"),
        (put("val_labels", lambda a: a * 0.5), "val_labels: is float64, not an integer type"),
        (put("train_images", lambda a: a[:, :27]), "train_images: images have shape (27, 28)"),
        (put("train_images", lambda a: np.stack([a] * 3, -1)), "images have shape (28, 28, 3)"),
        (put("train_labels", lambda a: np.hstack([a, a])), "train_labels: has shape (546, 2)"),
        (put("test_images", lambda a: a[:0]), "test_images: holds no image"),
    ],
)
def test_broken_arrays_are_refused_by_file_key_and_remedy(
    medmnist_root: Path, stand_in: StandIn, spoil: Callable[[Arrays], None], problem: str
) -> None:
    arrays = stand_in("breastmnist", 28)
    spoil(arrays)
    np.savez(medmnist_root / "breastmnist.npz", **arrays)
    with pytest.raises(DataUnavailable) as caught:
        load("breastmnist")
    message = str(caught.value)
    assert message.startswith(f"{medmnist_root / 'breastmnist.npz'}: ")
    assert problem in message
    assert "; delete the file to have it downloaded" in message
    assert "\n" not in message


def test_another_version_is_refused(medmnist_root: Path, stand_in: StandIn) -> None:
    arrays = {key: array[:-2] for key, array in stand_in("breastmnist", 28).items()}
    np.savez(medmnist_root / "breastmnist.npz", **arrays)
    with pytest.raises(DataUnavailable, match=r"544 images, MedMNIST v2 has 546 \(another version"):
        load("breastmnist")


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused(medmnist_root: Path, stand_in: StandIn, kept: float) -> None:
    path = medmnist_root / "breastmnist.npz"
    np.savez_compressed(path, **stand_in("breastmnist", 28))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(DataUnavailable, match=r"not a whole \.npz archive") as caught:
        load("breastmnist")
    assert str(path) in str(caught.value)


def test_flipped_byte_inside_an_array_is_refused(medmnist_root: Path, stand_in: StandIn) -> None:
    path = medmnist_root / "breastmnist.npz"
    np.savez(path, **stand_in("breastmnist", 28))
    content = bytearray(path.read_bytes())
    content[100_000] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataUnavailable, match="its bytes do not decode"):
        load("breastmnist")


@pytest.mark.parametrize("content", [b"<html>404</html>", b"\x93NUMPY garbage"])
def test_something_that_is_no_archive_is_refused(medmnist_root: Path, content: bytes) -> None:
    (medmnist_root / "breastmnist.npz").write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"not a whole \.npz archive"):
        load("breastmnist")


def test_home_is_searched_after_the_named_root(
    medmnist_root: Path, stand_in: StandIn, tmp_path: Path
) -> None:
    home = tmp_path / "home" / ".medmnist"
    home.mkdir()
    np.savez(home / "breastmnist.npz", **stand_in("breastmnist", 28))
    assert medmnist.locate("breastmnist", 28) == home / "breastmnist.npz"
    (medmnist_root / "breastmnist.npz").touch()
    assert medmnist.locate("breastmnist", 28) == medmnist_root / "breastmnist.npz"
    assert medmnist.locate("breastmnist", 64) is None


def test_named_root_that_is_no_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDMNIST_ROOT", "/nowhere/at/all")
    with pytest.raises(InputError, match="MEDMNIST_ROOT: '/nowhere/at/all' is not a folder"):
        load("breastmnist")


@pytest.mark.real_data
@pytest.mark.parametrize("flag", ["breastmnist", "pneumoniamnist", "retinamnist"])
def test_real_files_are_official(flag: str) -> None:
    root = os.environ.get("MEDMNIST_ROOT")
    if root is None or not Path(root, f"{flag}.npz").is_file():
        pytest.skip(f"MEDMNIST_ROOT holds no {flag}.npz")
    data = load(flag)
    entry = medmnist.info_by_flag()[flag]
    assert data.source.official is True
    assert data.source.checksum == f"md5:{entry['MD5']}"
    assert set(np.unique(data.train.labels)) == set(range(len(entry["label"])))
