"""The phantoms' cues: each is there, each is taken by its control and only by its control."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bench.data import catalog
from bench.data.controls import apply_control, draw_orders
from bench.data.dataset import Dataset, Split
from bench.data.phantom import CLASS_NAMES, PhantomOptions, draw_scenes
from bench.errors import InputError
from bench.specs import Control, DatasetSpec

CLEAN: dict[str, Any] = {"noise": 0.0, "n_train": 400, "n_val": 8, "n_test": 8}


class Final:
    is_final = True


def load(name: str = "phantom-joint", size: int = 28, **options: Any) -> Dataset:
    return catalog.load(DatasetSpec(name=name, options=options), size)


def controlled(images: NDArray[np.uint8], control: Control) -> NDArray[np.float64]:
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
    orders = draw_orders(control, len(tensor), torch.Generator().manual_seed(1))
    done = apply_control(tensor, control, orders)
    return done[:, 0].numpy().astype(np.float64)


def layout_score(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread down minus spread across of what is brighter than the image's mean."""
    size = images.shape[1]
    offsets = (np.arange(size) - (size - 1) / 2) ** 2
    bright = images - images.mean((1, 2), keepdims=True)
    score: NDArray[np.float64] = (bright * (offsets[:, None] - offsets[None, :])).sum((1, 2))
    return score


def texture_score(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fine variation across minus fine variation down: positive for vertical stripes."""
    across = np.square(np.diff(images, 2, axis=2)).mean((1, 2))
    down = np.square(np.diff(images, 2, axis=1)).mean((1, 2))
    score: NDArray[np.float64] = across - down
    return score


def agreement(score: NDArray[np.float64], cue: NDArray[np.int64]) -> float:
    """Accuracy of the score's sign as a reading of the cue."""
    return float(((score > 0) == (cue == 1)).mean())


def cues(split: Split) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return split.labels // 2, split.labels % 2


def test_both_cues_are_in_the_images_and_named_by_the_labels() -> None:
    train = load(**CLEAN).train
    layouts, textures = cues(train)
    images = train.images[..., 0].astype(np.float64)
    assert agreement(layout_score(images), layouts) == 1.0
    assert agreement(texture_score(images), textures) == 1.0
    for label, name in enumerate(CLASS_NAMES["phantom-joint"]):
        assert ("stacked" in name, "vertical" in name) == (label >= 2, label % 2 == 1)


def test_blur_takes_the_texture_and_leaves_the_layout() -> None:
    train = load(**CLEAN).train
    layouts, textures = cues(train)
    blurred = controlled(train.images, Control(kind="blur", sigma=3.0))
    assert agreement(layout_score(blurred), layouts) == 1.0
    assert abs(agreement(texture_score(blurred - blurred.mean(0)), textures) - 0.5) < 0.12
    sharp = np.abs(texture_score(train.images[..., 0].astype(np.float64))).mean()
    assert np.abs(texture_score(blurred)).mean() < 1e-3 * sharp


def test_shuffle_takes_the_layout_and_leaves_the_texture() -> None:
    train = load(**CLEAN).train
    layouts, textures = cues(train)
    shuffled = controlled(train.images, Control(kind="shuffle", grid=4))
    assert abs(agreement(layout_score(shuffled), layouts) - 0.5) < 0.12
    inside = shuffled.reshape(-1, 4, 7, 4, 7).swapaxes(2, 3).reshape(-1, 7, 7)  # patches alone
    per_image = texture_score(inside).reshape(-1, 16).mean(1)
    assert agreement(per_image, textures) > 0.97


def test_patches_of_both_layouts_are_the_same() -> None:
    """Transposing the places of the discs permutes the patches and changes none of them."""
    settings = PhantomOptions(noise=0.0, jitter=0.0, amplitude=1e-6)
    scenes = [
        draw_scenes(
            np.full(1, layout), np.zeros(1, np.int64), settings, 28, np.random.default_rng(0)
        )
        for layout in (0, 1)
    ]
    patches = [
        sorted(scene.reshape(4, 7, 4, 7).swapaxes(1, 2).reshape(16, -1).tolist())
        for scene in scenes
    ]
    assert patches[0] == patches[1]
    assert scenes[0].tolist() != scenes[1].tolist()


def test_no_patch_holds_parts_of_both_discs() -> None:
    """Each half of a side-by-side pair holds one whole disc, up to the raster of 280 pixels."""
    count, cue = 40, np.zeros(40, np.int64)
    settings = PhantomOptions(noise=0.0, amplitude=1e-6)
    scenes = draw_scenes(cue, cue, settings, 280, np.random.default_rng(0))[..., 0] - 128.0
    mass = scenes.reshape(count, 280, 2, 140).sum((1, 3))
    assert np.abs(mass / mass.mean() - 1).max() < 0.005


def test_texture_adds_nothing_to_a_discs_mean() -> None:
    flat, striped = (
        draw_scenes(
            np.zeros(50, np.int64),
            np.zeros(50, np.int64),
            PhantomOptions(noise=0.0, amplitude=amplitude),
            28,
            np.random.default_rng(0),
        ).astype(float)
        for amplitude in (1e-6, 30.0)
    )
    assert np.abs(flat - striped).max() > 20
    assert np.abs((flat - striped).mean((1, 2, 3))).max() < 0.05  # rounding to uint8 alone


def test_single_cue_phantoms_label_the_same_images() -> None:
    joint, layout, texture = (
        load(name) for name in ("phantom-joint", "phantom-global", "phantom-local")
    )
    np.testing.assert_array_equal(layout.train.images, joint.train.images)
    np.testing.assert_array_equal(texture.train.images, joint.train.images)
    np.testing.assert_array_equal(2 * layout.val.labels + texture.val.labels, joint.val.labels)
    assert (layout.task, joint.task) == ("binary-class", "multi-class")
    assert len({data.source.checksum for data in (joint, layout, texture)}) == 3


def test_classes_are_balanced_in_every_split() -> None:
    data = load(n_train=402, n_val=40, n_test=81)
    for split in (data.train, data.val, data.test.open(Final())):
        counts = np.bincount(split.labels, minlength=4)
        assert counts.max() - counts.min() <= 1
        assert np.abs(np.diff(split.labels)).sum() > 0  # not sorted in blocks
        assert (np.diff(split.labels) < 0).any()


def test_same_seed_same_arrays_other_seed_other_arrays() -> None:
    first, again, other = load(), load(), load(seed=1)
    assert first.source.checksum == again.source.checksum != other.source.checksum
    assert first.source.synthetic is True
    assert first.source.official is None


def test_a_split_does_not_depend_on_another_splits_count() -> None:
    small, large = load(n_train=16), load(n_train=64)
    np.testing.assert_array_equal(small.val.images, large.val.images)
    np.testing.assert_array_equal(small.test.open(Final()).images, large.test.open(Final()).images)


def test_splits_share_no_image() -> None:
    data = load(n_train=64, n_val=64, n_test=64)
    splits = (data.train, data.val, data.test.open(Final()))
    assert len({image.tobytes() for split in splits for image in split.images}) == 192


def test_global_random_state_is_neither_used_nor_touched() -> None:
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # type: ignore[index] # noqa: NPY002
    first = load(n_train=16).source.checksum
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index] # noqa: NPY002
    np.random.seed(4)  # noqa: NPY002
    assert load(n_train=16).source.checksum == first


def test_default_is_made_in_under_five_seconds() -> None:
    started = time.perf_counter()
    load()
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        (28, {"contrats": 3.0}, "options.contrats: unknown option; did you mean 'contrast'?"),
        (28, {"contrast": -1.0}, "options.contrast: Input should be greater than 0, got -1.0"),
        (28, {"n_train": 2}, "options.n_train: Input should be greater than or equal to 8, got 2"),
        (28, {"n_train": "many"}, "options.n_train: Input should be a valid integer"),
        (28, {"radius": 0.2, "jitter": 0.1}, "options.radius: radius + 0.009 + jitter is 0.309"),
        (20, {}, "source_size: 9 stripe periods do not fit in 20 pixels"),
    ],
)
def test_bad_options_are_refused_without_drawing(
    size: int, options: dict[str, Any], message: str
) -> None:
    spec = DatasetSpec(name="phantom-joint", options=options)
    with pytest.raises(InputError) as caught:
        catalog.check(spec, size)
    assert message in str(caught.value)
    with pytest.raises(InputError):
        catalog.load(spec, size)
