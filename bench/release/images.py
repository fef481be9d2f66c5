"""Images as people have them, brought to the size and channels of a network's training data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.data.arrays import Flaw, read_arrays
from bench.data.own_folder import GREY_MODES, RGB_MODES
from bench.errors import InputError
from bench.toml_file import shown

ARRAYS = {".npy", ".npz"}


@dataclass(frozen=True)
class Picture:
    """One image as the training data stores its own.

    Attributes:
        name: of the file, and of the image in it where it holds several.
        pixels: ``(size, size, channels)`` uint8.
        told: what was done to it.
    """

    name: str
    pixels: NDArray[np.uint8]
    told: tuple[str, ...]


def read_pictures(path: Path, *, size: int, channels: int) -> Iterator[Picture]:
    """Every image of a file, one of a picture, one or more of an ``.npy`` or ``.npz``.

    An array is uint8 ``(H, W)``, ``(H, W, 1 or 3)``, ``(N, H, W)`` or ``(N, H, W, 1 or 3)``; an
    ``.npz`` with several arrays is given with the one that is meant, ``file.npz:val_images``.

    Args:
        size: side in px of the training's stored images.
        channels: of these, 1 or 3.

    Raises:
        InputError: no such file, no image, or more than 8 bits a channel.
    """
    file, _, key = str(path).partition(".npz:")
    plain = Path(f"{file}.npz") if key else path
    if not plain.is_file():
        raise InputError("no such file", remedy="give an image's path", file=shown(plain))
    if plain.suffix.lower() not in ARRAYS:
        yield _fitted(_decoded(plain), path.name, size, channels)
        return
    array = _array(plain, key)
    images = _one_by_one(array, plain)
    for number, pixels in enumerate(images):
        name = plain.name if len(images) == 1 else f"{plain.name}#{number}"
        yield _fitted(Image.fromarray(pixels), name, size, channels)


def _decoded(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            image.load()
            mode = image.mode
            if mode in GREY_MODES | RGB_MODES:
                return image.convert("L" if mode in GREY_MODES else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            "is not a readable image", remedy="give a PNG, JPEG, npy or npz", file=shown(path)
        ) from error
    raise _too_deep(path, f"has pixel type {mode}")


def _array(path: Path, key: str) -> NDArray[np.generic]:
    if path.suffix.lower() == ".npy":
        try:
            with path.open("rb") as opened:
                return np.asarray(np.load(opened, allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                "is not a whole .npy array", remedy="write it with numpy.save", file=shown(path)
            ) from error
    try:
        names = [key] if key else _names(path)
        return read_arrays(path, names)[names[0]]
    except Flaw as flaw:
        raise InputError(
            flaw.problem,
            remedy=f"name an array: {path.name}:KEY",
            file=shown(path),
            key=flaw.key,
        ) from None


def _names(path: Path) -> list[str]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            names = list(file.files)
    except Exception as error:  # zip, header and type errors alike: what is there is no .npz
        raise Flaw("is not a whole .npz archive (cut off or damaged)") from error
    if len(names) != 1:
        raise Flaw(f"holds {len(names)} arrays ({', '.join(names[:6])})")
    return names


def _one_by_one(array: NDArray[np.generic], path: Path) -> list[NDArray[np.uint8]]:
    """Each image ``(H, W)`` or ``(H, W, 3)``."""
    if array.dtype != np.uint8:
        raise _too_deep(path, f"holds {array.dtype}")
    if array.ndim in (3, 4) and array.shape[-1] == 1:
        array = array[..., 0]
    colour = array.ndim >= 3 and array.shape[-1] == 3
    stacked = array.ndim - int(colour)
    if stacked not in (2, 3) or 0 in array.shape:
        raise InputError(
            f"has shape {array.shape}, which is no image and no stack of images",
            remedy="give (H, W), (H, W, 3), (N, H, W) or (N, H, W, 3)",
            file=shown(path),
        )
    images = array[None] if stacked == 2 else array
    return [np.ascontiguousarray(image, dtype=np.uint8) for image in images]


def _fitted(image: Image.Image, name: str, size: int, channels: int) -> Picture:
    """As the training's stored images are: their channels, their size."""
    told, (width, height) = [], image.size
    if image.mode == "RGB" and channels == 1:
        image = image.convert("L")
        told.append("colour dropped: the training images are grey")
    elif image.mode == "L" and channels == 3:
        image = image.convert("RGB")
        told.append("grey repeated: the training images are in colour")
    if (width, height) != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)  # antialiases
        squeezed = "" if width == height else ", its sides squeezed into a square"
        told.append(f"{width} × {height} px resized to {size} × {size}{squeezed}")
    pixels = np.asarray(image, dtype=np.uint8).reshape(size, size, channels)
    return Picture(name, pixels, tuple(told))


def _too_deep(path: Path, what: str) -> InputError:
    return InputError(
        f"{what}, not 8 bits a channel",
        remedy="convert it to 8 bits as your training images were",
        file=shown(path),
    )
