"""Each augmentation does what its name says, and all draw from the passed generator alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bench.data.augment import augment
from bench.data.invariances import AUGMENTATIONS

MILD: dict[str, Any] = {
    "horizontal_flip": 0.5,
    "vertical_flip": 0.5,
    "shift": 3.0,
    "crop": 0.3,
    "rotation": 15.0,
    "brightness": 0.2,
    "erase": 0.2,
}


def batch(count: int = 8, size: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(9)) * 2 - 1


def run(images: torch.Tensor, seed: int = 0, **strengths: float) -> torch.Tensor:
    return augment(images, strengths, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_generator_alone_decides_and_the_batch_is_left_as_it_was(name: str) -> None:
    images = batch()
    kept, state = images.clone(), torch.get_rng_state()
    first = run(images, **{name: MILD[name]})
    assert torch.equal(first, run(images, **{name: MILD[name]}))
    assert not torch.equal(first, run(images, seed=1, **{name: MILD[name]}))
    assert first.shape == images.shape
    assert first.abs().max() <= 1 + 1e-5
    assert torch.equal(images, kept)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_images_of_a_batch_are_changed_each_in_its_own_way(name: str) -> None:
    same = batch(1).expand(32, -1, -1, -1)
    changed = run(same, **{name: MILD[name]})
    assert len({image.numpy().tobytes() for image in changed}) > 1


def test_order_of_the_names_does_not_matter() -> None:
    backwards = dict(reversed(MILD.items()))
    assert torch.equal(run(batch(), **MILD), run(batch(), **backwards))


@pytest.mark.parametrize(("name", "axis"), [("horizontal_flip", 3), ("vertical_flip", 2)])
def test_flips_mirror_their_axis_as_often_as_asked(name: str, axis: int) -> None:
    images = batch(1000, 2)
    always: dict[str, Any] = {name: 1.0}
    sometimes: dict[str, Any] = {name: 0.3}
    assert torch.equal(run(images, **always), images.flip(axis))
    changed = run(images, **sometimes)
    mirrored = (changed == images.flip(axis)).all(dim=(1, 2, 3))
    assert (mirrored | (changed == images).all(dim=(1, 2, 3))).all()
    assert abs(float(mirrored.float().mean()) - 0.3) < 0.05


def test_shift_moves_by_whole_pixels_and_mirrors_the_rim() -> None:
    size, reach = 9, 2
    image = torch.arange(size * size, dtype=torch.float32).view(1, 1, size, size)
    padded = torch.nn.functional.pad(image, (reach,) * 4, mode="reflect")
    allowed = {(y, x): padded[0, 0, y : y + size, x : x + size] for y in range(5) for x in range(5)}
    seen = set()
    for moved in run(image.expand(400, -1, -1, -1), shift=float(reach)):
        places = [place for place, wanted in allowed.items() if torch.equal(moved[0], wanted)]
        assert len(places) == 1
        seen.add(places[0])
    assert len(seen) == 25


def test_rotation_by_a_quarter_turns_the_image() -> None:
    """An angle is drawn in ±s; of many draws with s = 180 some lie close to a quarter turn."""
    image = torch.zeros(1, 1, 33, 33)
    image[:, :, 16, 22:30] = 1  # a bar to the right of the centre
    turned = run(image.expand(500, -1, -1, -1), rotation=180.0)
    up, right = turned[:, 0, 3:11, 16].mean(1), turned[:, 0, 16, 22:30].mean(1)
    assert up.max() > 0.9
    assert right.max() > 0.9
    assert abs(float((right > 0.5).float().mean()) - float((up > 0.5).float().mean())) < 0.05
    small = run(image.expand(100, -1, -1, -1), rotation=1e-3)
    torch.testing.assert_close(small, image.expand(100, -1, -1, -1), atol=1e-3, rtol=0)


def test_rotation_keeps_shapes_on_images_that_are_not_square() -> None:
    image = torch.full((200, 1, 20, 40), -1.0)
    image[:, :, 8:12, 18:22] = 1  # a square in the middle keeps its area
    turned = run(image, rotation=45.0)
    area = ((turned + 1) / 2).sum((1, 2, 3))
    assert (area - 16).abs().max() < 1.5


def test_crop_enlarges_a_box_of_the_stated_area() -> None:
    """On a ramp, the slope after the crop is the box's relative width."""
    ramp = torch.linspace(-1, 1, 64).expand(500, 1, 64, 64)
    cropped = run(ramp, crop=0.5)
    across = (cropped[:, 0, 32, 40] - cropped[:, 0, 32, 24]) / (
        ramp[0, 0, 0, 40] - ramp[0, 0, 0, 24]
    )
    cropped_down = run(ramp.transpose(2, 3), crop=0.5)
    down = (cropped_down[:, 0, 40, 32] - cropped_down[:, 0, 24, 32]) / (
        ramp[0, 0, 0, 40] - ramp[0, 0, 0, 24]
    )
    area = across * down
    assert area.min() > 0.48
    assert area.max() < 1.05
    assert area.std() > 0.05
    for slope in (cropped.diff(dim=3), cropped_down.diff(dim=2)):
        assert slope.min() > -1e-5  # a box beyond the rim would mirror the ramp


def test_brightness_is_one_gain_and_one_offset_an_image() -> None:
    images = batch() * 0.3
    changed = run(images, brightness=0.2)
    for before, after in zip(images, changed, strict=True):
        gain, offset = torch.linalg.lstsq(
            torch.stack((before.flatten(), torch.ones(before.numel())), 1), after.flatten()[:, None]
        ).solution.flatten()
        assert 0.8 <= gain <= 1.2
        assert abs(offset) <= 0.2
        torch.testing.assert_close(before * gain + offset, after, atol=1e-5, rtol=1e-5)
    assert run(torch.ones(20, 1, 2, 2), brightness=0.5).max() <= 1


def test_erase_blanks_one_box_and_nothing_else() -> None:
    images = torch.ones(300, 2, 32, 32)
    erased = run(images, erase=0.25)
    assert set(erased.unique().tolist()) == {0.0, 1.0}
    blank = erased[:, 0] == 0
    assert torch.equal(blank, erased[:, 1] == 0)
    rows, columns = blank.any(2).sum(1), blank.any(1).sum(1)
    assert torch.equal(rows * columns, blank.sum((1, 2)))  # a box
    share = blank.float().mean((1, 2))
    assert share.max() < 0.32  # 0.25 and at most a pixel on each side
    assert abs(float(share.mean()) - 0.125) < 0.02


def marked(count: int, size: int = 32) -> torch.Tensor:
    """Channel 0: a bar left of the middle; channel 1: a bar above it."""
    images = torch.zeros(count, 2, size, size)
    images[:, 0, 12:20, 4:8] = 1.0
    images[:, 1, 4:8, 12:20] = 1.0
    return images


@pytest.mark.parametrize("count", [1, 2])
def test_each_image_gets_as_many_as_asked_and_every_choice_comes(count: int) -> None:
    flips = {"horizontal_flip": 1.0, "vertical_flip": 1.0, "brightness": 0.4}
    images = marked(600)
    changed = augment(images, flips, torch.Generator().manual_seed(0), count)
    seen: dict[frozenset[str], int] = {}
    for after in changed:
        names = set()
        grey = float(after[0, 0, 0])  # the ground: changed by brightness alone
        bars = (after - grey).abs() > 0.3
        names |= {"brightness"} if grey != 0 else set()
        names |= {"horizontal_flip"} if bars[0].any(0)[16:].any() else set()
        names |= {"vertical_flip"} if bars[1].any(1)[16:].any() else set()
        assert len(names) == count
        seen[frozenset(names)] = seen.get(frozenset(names), 0) + 1
    assert len(seen) == 3  # of three: three single ones, three pairs
    assert all(abs(number - 200) < 60 for number in seen.values())


def test_a_count_is_drawn_from_the_generator_alone() -> None:
    images, state = batch(64), torch.get_rng_state()

    def one(seed: int, strengths: dict[str, Any] = MILD) -> torch.Tensor:
        return augment(images, strengths, torch.Generator().manual_seed(seed), 2)

    assert torch.equal(one(0), one(0))
    assert torch.equal(one(0), one(0, dict(reversed(MILD.items()))))
    assert not torch.equal(one(0), one(1))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_count_that_the_data_set_does_not_leave_means_all_of_them() -> None:
    left: dict[str, Any] = {"horizontal_flip": 0.5, "shift": 3.0}
    generators = [torch.Generator().manual_seed(0) for _ in range(2)]
    assert torch.equal(
        augment(batch(), left, generators[0], 3), augment(batch(), left, generators[1])
    )
    assert torch.equal(augment(batch(), {}, generators[0], 3), batch())


def test_crop_draws_boxes_as_torchvisions_random_resized_crop_does() -> None:
    """Strength 1 − 0.08 is scale (0.08, 1), in area and in shape."""
    from torchvision.transforms import RandomResizedCrop

    torch.manual_seed(0)
    image = torch.zeros(1, 224, 224)
    drawn = [RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(4000)]
    theirs = torch.tensor([[width / 224, height / 224] for _, _, height, width in drawn])
    across = torch.linspace(-1, 1, 64).expand(64, 64)
    ramp = torch.stack((across, across.T))
    cropped = run(ramp.expand(4000, -1, -1, -1), crop=0.92)
    step = float(ramp[0, 0, 40] - ramp[0, 0, 24])
    width = (cropped[:, 0, 32, 40] - cropped[:, 0, 32, 24]) / step
    height = (cropped[:, 1, 40, 32] - cropped[:, 1, 24, 32]) / step
    shares = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])
    for ours, other in (
        (width * height, theirs.prod(1)),
        ((width / height).log(), (theirs[:, 0] / theirs[:, 1]).log()),
    ):
        torch.testing.assert_close(ours.quantile(shares), other.quantile(shares), atol=0.03, rtol=0)


def test_unknown_name_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown augmentation 'mixup'"):
        run(batch(), mixup=0.5)
