"""Near duplicates against every correlation computed one by one; what they are made not to see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.audit_file import DUPLICATES, AuditSpec
from bench.data import near_duplicates
from bench.data.near_duplicates import near_pairs, shrink
from bench.toml_file import read_toml

Images = NDArray[np.uint8]


def spec(**changes: Any) -> AuditSpec:
    return read_toml(DUPLICATES, AuditSpec).model_copy(update=changes)


def scenes(count: int, seed: int = 0, size: int = 12) -> Images:
    """Random smooth scenes ``(N, S, S, 1)``, some of which come again with a little noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(128, 40, size=(count, 3, 3))
    coarse[count // 2 :: 3] = coarse[: len(coarse[count // 2 :: 3])]
    smooth = np.kron(coarse, np.ones((size // 3, size // 3)))
    noise = rng.normal(0, rng.uniform(0, 12, (count, 1, 1)), smooth.shape)
    return (smooth + noise).clip(0, 255).astype(np.uint8)[..., None]


def rows(images: Images) -> Images:
    return shrink(images, 28)


def one_by_one(images: Images) -> NDArray[np.float64]:
    """The likeness of every pair by NumPy's own correlations, the later image second."""
    scaled = images.astype(float) - images.mean(axis=1, keepdims=True)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    both = np.corrcoef(scaled), np.corrcoef(scaled - scaled.mean(axis=0))
    return np.triu(np.minimum(*both), 1)


@pytest.mark.parametrize("block", [5, 17, 4096])
def test_pairs_are_those_of_every_correlation_one_by_one(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(near_duplicates, "BLOCK", block)
    parts = [rows(scenes(40, 0)), rows(scenes(23, 0)), rows(scenes(31, 2))]
    asked = spec(likeness=0.98, counted=[0.8, 0.9, 0.98])
    shares: list[float] = []
    found = near_pairs(parts, asked, shares.append)
    every = one_by_one(np.concatenate(parts))
    expected = {(int(a), int(b)) for a, b in np.argwhere(every >= 0.98)}
    assert len(expected) >= 10
    assert {(int(a), int(b)) for a, b in found.pairs} == expected
    np.testing.assert_allclose(found.likeness, every[tuple(found.pairs.T)], atol=1e-9)
    ends = np.cumsum([0, *map(len, parts)])
    for a in range(3):
        for b in range(a, 3):
            piece = every[ends[a] : ends[a + 1], ends[b] : ends[b + 1]]
            counts = [np.count_nonzero(piece >= least) for least in asked.counted]
            assert found.counted[a, b].tolist() == counts
    assert found.counted[np.tril_indices(3, -1)].sum() == 0
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_brightness_and_contrast_do_not_hide_a_copy_and_a_shift_does() -> None:
    image = scenes(1, 5, 27).astype(float)
    changed = (image * 0.6 + 30).astype(np.uint8)
    shifted = np.roll(image, 5, axis=2).astype(np.uint8)
    parts = [rows(part) for part in (image.astype(np.uint8), changed, shifted)]
    found = near_pairs(parts, spec(), lambda _: None)
    assert found.pairs.tolist() == [[0, 1]]


def test_flat_images_are_compared_with_nothing() -> None:
    rng = np.random.default_rng(0)
    pattern = rng.integers(0, 2, (12, 12))
    flat = np.stack([100 + 3 * pattern, 150 + 3 * pattern, 100 + 3 * pattern.T])  # sd 1.5
    images = rows(flat[..., None].astype(np.uint8))
    assert len(near_pairs([images], spec(), lambda _: None).pairs) == 0
    lower = near_pairs([images], spec(flat_below=1.0), lambda _: None)
    assert lower.pairs.tolist() == [[0, 1]]


def test_a_common_frame_makes_no_copies_and_copies_in_a_frame_are_found() -> None:
    """As in fundus photographs: a black surround that all share, and what differs within it."""
    inside = scenes(30, 7, 12)
    inside[20:] = inside[:10]  # ten copies
    framed = np.full((30, 28, 28, 1), 250, dtype=np.uint8)
    framed[:, 8:20, 8:20] = inside // 16
    parts = [rows(framed)]
    frames = np.corrcoef(parts[0].astype(float))[np.triu_indices(20, 1)]
    assert frames.min() > 0.985  # by correlation alone all would be copies
    found = near_pairs(parts, spec(), lambda _: None)
    assert {(int(a), int(b)) for a, b in found.pairs} >= {(i, i + 20) for i in range(10)}
    assert len(found.pairs) < 40  # of 435


def test_what_is_left_at_a_correlation_is_as_the_page_says() -> None:
    """Fit one image to another at r = 0.995, look at the rest: a tenth of the contrast."""
    rng = np.random.default_rng(3)
    a, noise = rng.normal(size=(2, 100_000))
    b = 7 + 3 * (a + noise * np.sqrt(1 / 0.995**2 - 1))
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(0.995, abs=2e-4)
    left = b - np.polyval(np.polyfit(a, b, 1), a)
    assert left.std() / b.std() == pytest.approx(0.1, abs=0.002)


def test_larger_images_are_compared_at_the_smaller_size() -> None:
    large = scenes(6, 1, 48)
    assert shrink(large, 28).shape == (6, 28 * 28)
    assert shrink(scenes(6, 1, 12), 28).shape == (6, 144)  # smaller ones keep their size
    colour = np.repeat(large, 3, axis=3)
    assert shrink(colour, 28).shape == (6, 3 * 28 * 28)


def test_a_threshold_that_is_not_counted_is_refused() -> None:
    values = spec().model_dump() | {"likeness": 0.975}
    with pytest.raises(ValueError, match="counted must rise and hold likeness"):
        AuditSpec(**values)
