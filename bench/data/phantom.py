"""Phantoms: synthetic images with one coarse and one fine cue, each removable by one control.

A scene is two soft discs on noise. *Layout*: the discs lie side by side or one above the other.
*Texture*: both discs carry zero-mean stripes, horizontal or vertical. Low-pass filtering takes the
texture and leaves the layout. Permuting patches of a grid of four (or eight, …) takes the layout
and leaves the texture, exactly: every disc's place relative to the patch grid is drawn from the
same distribution in both layouts, and no patch ever holds parts of both discs.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, ValidationError

from bench.data.arrays import arrays_checksum
from bench.data.dataset import Dataset, LockedSplit, Source, Split
from bench.data.info import SPLITS, DatasetInfo
from bench.data.invariances import declared
from bench.errors import InputError, nearest
from bench.specs import Strict

GREY = 128.0  # background level, half of the uint8 range
QUARTER = 0.25  # discs lie about the quarter points of the image
EDGE = 0.018  # softness of a disc's rim, as a fraction of the width: half a pixel of 28
LAYOUTS = ("side by side", "stacked")
TEXTURES = ("horizontal stripes", "vertical stripes")
CLASS_NAMES = {
    "phantom-global": LAYOUTS,
    "phantom-local": TEXTURES,
    "phantom-joint": tuple(f"{layout}, {texture}" for layout in LAYOUTS for texture in TEXTURES),
}


class PhantomOptions(Strict):
    """How many images and how hard they are.

    Lengths are fractions of the image's width, so that every source size shows the same scene;
    grey values are levels of 0–255. A disc with its rim and its jitter stays within a quarter of
    the image, which keeps the discs apart and inside. The defaults are set so that resnet18,
    trained from scratch on 1,024 images at 32 pixels for five epochs, reads most labels, not all.
    """

    n_train: Annotated[int, Field(ge=8, le=200_000)] = 1024
    n_val: Annotated[int, Field(ge=8, le=200_000)] = 256
    n_test: Annotated[int, Field(ge=8, le=200_000)] = 512
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    contrast: Annotated[float, Field(gt=0, le=100)] = 14.0  # disc above the background, levels
    amplitude: Annotated[float, Field(gt=0, le=100)] = 40.0  # stripes, levels
    noise: Annotated[float, Field(ge=0, le=100)] = 31.0  # standard deviation per pixel, levels
    radius: Annotated[float, Field(gt=0, lt=QUARTER)] = 0.16
    jitter: Annotated[float, Field(ge=0, lt=QUARTER)] = 0.08
    cycles: Annotated[int, Field(ge=2, le=100)] = 9  # stripe periods across the image's width


def check(name: str, options: dict[str, JsonValue], source_size: int) -> DatasetInfo:
    """The outline of a phantom.

    Raises:
        InputError: an unknown option, a value out of range, or stripes too fine for the size.
    """
    settings = _settings(name, options, source_size)
    return _outline(name, settings)


def _outline(name: str, settings: PhantomOptions) -> DatasetInfo:
    return DatasetInfo(
        name=name,
        task="binary-class" if len(CLASS_NAMES[name]) == 2 else "multi-class",
        class_names=CLASS_NAMES[name],
        channels=1,
        counts={"train": settings.n_train, "val": settings.n_val, "test": settings.n_test},
        synthetic=True,
        label_preserving=declared()[name],
    )


def _settings(name: str, options: dict[str, JsonValue], source_size: int) -> PhantomOptions:
    key = f"dataset.{name}.options"
    known = PhantomOptions.model_fields
    for option in options:
        if option not in known:
            raise InputError("unknown option", remedy=nearest(option, known), key=f"{key}.{option}")
    try:
        settings = PhantomOptions.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{first['msg']}, got {first['input']!r}",
            remedy="see bench/data/phantom.py for the ranges",
            key=f"{key}.{first['loc'][0]}",
        ) from error
    reach = settings.radius + EDGE / 2 + settings.jitter
    if reach > QUARTER:
        raise InputError(
            f"radius + {EDGE / 2:g} + jitter is {reach:g}, above a quarter",
            remedy="lower one: the discs must stay apart and inside the image",
            key=f"{key}.radius",
        )
    if source_size < 2.5 * settings.cycles:
        raise InputError(
            f"{settings.cycles} stripe periods do not fit in {source_size} pixels",
            remedy=f"use a source_size of at least {int(np.ceil(2.5 * settings.cycles))}, "
            f"or fewer {key}.cycles",
            key="source_size",
        )
    return settings


def load(name: str, options: dict[str, JsonValue], source_size: int) -> Dataset:
    """The phantom, drawn anew: the same options and size give the same arrays.

    Raises:
        InputError: as ``check``.
    """
    settings = _settings(name, options, source_size)
    outline = _outline(name, settings)
    # Each split has its own stream, so that its images do not depend on another split's count.
    streams = np.random.SeedSequence(settings.seed).spawn(len(SPLITS))
    splits = {
        split: _draw_split(split, name, outline.counts[split], settings, source_size, stream)
        for split, stream in zip(SPLITS, streams, strict=True)
    }
    arrays = {
        f"{split}_{kind}": getattr(drawn, kind)
        for split, drawn in splits.items()
        for kind in ("images", "labels")
    }
    return Dataset(
        name=name,
        task=outline.task,
        class_names=outline.class_names,
        source_size=source_size,
        source=Source("synthetic", arrays_checksum(arrays), official=None, synthetic=True),
        label_preserving=outline.label_preserving,
        train=splits["train"],
        val=splits["val"],
        test=LockedSplit(splits["test"]),
    )


def _draw_split(
    split: str,
    name: str,
    count: int,
    settings: PhantomOptions,
    size: int,
    stream: np.random.SeedSequence,
) -> Split:
    rng = np.random.default_rng(stream)
    cues = rng.permutation(np.arange(count) % 4)  # balanced over the four combinations
    layouts, textures = cues // 2, cues % 2
    images = draw_scenes(layouts, textures, settings, size, rng)
    labels = {"phantom-global": layouts, "phantom-local": textures, "phantom-joint": cues}[name]
    return Split(split, images, labels.astype(np.int64))


def draw_scenes(
    layouts: NDArray[np.int64],
    textures: NDArray[np.int64],
    settings: PhantomOptions,
    size: int,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Scenes ``(N, size, size, 1)``: layouts 1 are stacked, textures 1 are vertical stripes."""
    count = len(layouts)
    places = (np.arange(size, dtype=np.float64) + 0.5) / size  # pixel centres
    row, column = places[None, :, None], places[None, None, :]
    images = np.full((count, size, size), GREY)
    images += settings.noise * rng.standard_normal((count, size, size))
    for along in (QUARTER, 1 - QUARTER):  # the two discs
        jitter = rng.uniform(-settings.jitter, settings.jitter, (2, count))
        column_centre = np.where(layouts == 0, along, 0.5) + jitter[0]
        row_centre = np.where(layouts == 0, 0.5, along) + jitter[1]
        distance = np.hypot(row - row_centre[:, None, None], column - column_centre[:, None, None])
        disc = np.clip((settings.radius - distance) / EDGE + 0.5, 0, 1)
        phase = rng.uniform(0, 1, (count, 1, 1))
        across = np.where(textures[:, None, None] == 0, row, column)  # varies across the stripes
        stripes = np.sin(2 * np.pi * (settings.cycles * across + phase))
        stripes -= (disc * stripes).sum((1, 2), keepdims=True) / disc.sum((1, 2), keepdims=True)
        images += disc * (settings.contrast + settings.amplitude * stripes)
    grey: NDArray[np.uint8] = np.clip(np.rint(images), 0, 255).astype(np.uint8)
    return grey[..., None]
