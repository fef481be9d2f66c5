"""The user's own data: both forms read right, and every fault named by file and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bench.data import catalog
from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.specs import DatasetSpec

Arrays = dict[str, Any]


class Final:
    is_final = True


def spec(path: Path, **fields: Any) -> DatasetSpec:
    return DatasetSpec(name="mine", path=str(path), **fields)


def load(path: Path, size: int = 16, **fields: Any) -> Dataset:
    outline = catalog.check(spec(path, **fields), size)
    data = catalog.load(spec(path, **fields), size)
    assert (outline.task, outline.class_names) == (data.task, data.class_names)
    assert outline.channels == data.channels
    assert dict(outline.counts) == {
        "train": len(data.train),
        "val": len(data.val),
        "test": len(data.test),
    }
    return data


def error(path: Path, size: int = 16, **fields: Any) -> str:
    with pytest.raises(InputError) as caught:
        catalog.load(spec(path, **fields), size)
    message = str(caught.value)
    assert "\n" not in message
    return message


def save(file: Path, level: int, mode: str = "L", size: tuple[int, int] = (20, 10)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode == "L" else (level,) * 3).save(file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Classes a and b, the second missing from val; the image's level tells split and class."""
    root = tmp_path / "images"
    for split, level in (("train", 10), ("val", 20), ("test", 30)):
        for index in range(3):
            save(root / split / "a" / f"{index}.png", level)
            if split != "val":
                save(root / split / "b" / f"{index}.png", level + 5)
    return root


def test_folder_is_read_resized_and_labelled_by_class_name(folder: Path) -> None:
    data = load(folder, label_preserving=["shift"])
    assert data.class_names == ("a", "b")
    assert data.task == "binary-class"
    assert data.label_preserving == {"shift"}
    assert data.train.images.shape == (6, 16, 16, 1)
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.train.images[:, 0, 0, 0].tolist() == [10, 10, 10, 15, 15, 15]
    assert data.val.labels.tolist() == [0, 0, 0]
    assert data.test.open(Final()).images[:, 0, 0, 0].tolist() == [30, 30, 30, 35, 35, 35]
    assert data.source.official is None
    assert data.source.checksum.startswith("sha256:")


def test_one_colour_image_makes_all_three_channels(folder: Path) -> None:
    save(folder / "val" / "a" / "colour.png", 7, mode="RGB")
    assert load(folder).train.images.shape == (6, 16, 16, 3)


def test_hidden_files_are_no_images(folder: Path) -> None:
    (folder / "train" / ".DS_Store").touch()
    (folder / "train" / "a" / ".DS_Store").touch()
    assert len(load(folder).train) == 6


def test_downscaling_is_antialiased(folder: Path) -> None:
    """Alternating black and white columns become grey, not one of the two."""
    columns = np.zeros((64, 64), dtype=np.uint8)
    columns[:, ::2] = 255
    Image.fromarray(columns).save(folder / "train" / "a" / "0.png")
    image = load(folder).train.images[0]
    assert np.abs(image[2:-2, 2:-2].astype(int) - 127).max() < 16


def remove_split(root: Path) -> None:
    for file in (root / "val" / "a").iterdir():
        file.unlink()


def rename_class(root: Path) -> None:
    (root / "val" / "a").rename(root / "val" / "A")


def stray_file(root: Path) -> None:
    save(root / "test" / "lost.png", 1)


def text_file(root: Path) -> None:
    (root / "train" / "a" / "notes.txt").write_text("no image")


def cut_image(root: Path) -> None:
    file = root / "test" / "b" / "1.png"
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    Image.fromarray(noise).save(file)
    file.write_bytes(file.read_bytes()[:900])


def deep_image(root: Path) -> None:
    deep = np.full((8, 8), 5000, dtype=np.uint16)
    Image.fromarray(deep).save(root / "train" / "b" / "deep.png")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_split, "val: dataset.mine.path: the split holds no image; make it train|val"),
        (rename_class, "val/A: dataset.mine.path: class 'A' has no folder in train; "),
        (stray_file, "test/lost.png: dataset.mine.path: lies outside a class folder; "),
        (text_file, "train/a/notes.txt: dataset.mine.path: is not a readable image; "),
        (cut_image, "test/b/1.png: dataset.mine.path: is damaged or cut off; convert it"),
        (deep_image, "train/b/deep.png: dataset.mine.path: has pixel type I;16, not 8 bits"),
    ],
)
def test_fault_in_a_folder_names_the_file(
    folder: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(folder)
    assert f"{folder}/{message}" in error(folder)


def arrays() -> Arrays:
    rng = np.random.default_rng(0)
    made: Arrays = {}
    for split, count in (("train", 9), ("val", 6), ("test", 6)):
        made[f"{split}_images"] = rng.integers(0, 256, (count, 16, 16), dtype=np.uint8)
        made[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    return made


def test_npz_is_read_as_medmnists_are(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **arrays())
    data = load(tmp_path / "mine.npz")
    assert data.class_names == ("0", "1", "2")
    assert data.task == "multi-class"
    np.testing.assert_array_equal(data.train.images[..., 0], arrays()["train_images"])
    named = load(tmp_path / "mine.npz", classes=["x", "y", "z"], task="ordinal-regression")
    assert named.class_names == ("x", "y", "z")
    assert named.task == "ordinal-regression"


def test_npz_with_several_labels_an_image_and_colour(tmp_path: Path) -> None:
    made = arrays()
    for split in ("train", "val", "test"):
        images = made[f"{split}_images"]
        made[f"{split}_images"] = np.stack([images] * 3, -1)
        made[f"{split}_labels"] = np.eye(4, dtype=np.int64)[np.arange(len(images)) % 4]
    np.savez(tmp_path / "mine.npz", **made)
    data = load(tmp_path / "mine.npz")
    assert data.task == "multi-label, binary-class"
    assert data.train.labels.shape == (9, 4)
    assert data.channels == 3


def put(key: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Arrays], None]:
    return lambda made: made.__setitem__(key, change(made[key]))


@pytest.mark.parametrize(
    ("spoil", "fields", "message"),
    [
        (put("val_labels", lambda a: a + 1), {"classes": ["x", "y", "z"]},
         "val_labels: label 3 is outside the classes 0–2; make it as MedMNIST's"),
        (put("val_labels", lambda a: a.astype(np.int8) - 1), {}, "val_labels: label -1 is outside"),
        (put("val_labels", lambda a: a.astype(float)), {}, "val_labels: is float64, not an int"),
        (put("test_images", lambda a: a[:0]), {}, "test_images: holds no image"),
        (put("test_images", lambda a: a[:, :8]), {}, "test_images: images have shape (8, 16)"),
        (put("train_images", lambda a: a.astype(float)), {}, "train_images: is float64, not uint8"),
        (put("train_images", lambda a: a[:, :12, :12]), {}, "12×12 and source_size is 16"),
        (put("train_images", lambda a: a[0]), {}, "train_images: has shape (16, 16), not (N"),
        (lambda made: made.pop("test_labels"), {}, "has no array 'test_labels'"),
        (lambda made: made.pop("test_images"), {}, "has no array 'test_images'"),
        (put("train_labels", lambda a: a[:-1]), {}, "train_labels: 8 labels for 9 images"),
    ],
)  # fmt: skip
def test_fault_in_an_npz_names_the_file_and_the_array(
    tmp_path: Path, spoil: Callable[[Arrays], Any], fields: dict[str, Any], message: str
) -> None:
    made, path = arrays(), tmp_path / "mine.npz"
    spoil(made)
    np.savez(path, **made)
    found = error(path, **fields)
    assert found.startswith(f"{path}: ")
    assert message in found


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task": "binary-class"}, "dataset.mine.task: is binary-class, but there are 3 classes"),
        ({"task": "multi-label, binary-class"}, "but images have one label each"),
        ({"label_preserving": ["flip"]}, "dataset.mine.label_preserving: unknown augmentation"),
    ],
)
def test_settings_that_contradict_the_data_are_refused(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "mine.npz", **arrays())
    assert message in error(tmp_path / "mine.npz", **fields)


def test_path_that_is_neither_form_is_refused(tmp_path: Path, folder: Path) -> None:
    assert "does not exist; give a folder" in error(tmp_path / "nothing")
    (tmp_path / "data.csv").touch()
    assert "is neither a folder nor an .npz file" in error(tmp_path / "data.csv")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and no more")
    assert "not a whole .npz archive" in error(tmp_path / "cut.npz")
    assert "dataset.mine.classes: a folder's classes" in error(folder, classes=["a", "b"])
