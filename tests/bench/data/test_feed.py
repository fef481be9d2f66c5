"""Feeds: held or streamed, alone or in any batch, the same bits; passes that resume; no aliases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.cache import Cache
from bench.data.dataset import Split
from bench.data.feed import Feed, Resident, batches, make_resident, make_streamed
from bench.specs import Control

CPU = torch.device("cpu")
CONTROLS = [
    None,
    Control(kind="blur", sigma=0.8),
    Control(kind="blur", sigma=1.5),
    Control(kind="shuffle", grid=2),
    Control(kind="shuffle", grid=4),
]


def split(count: int, size: int = 12, channels: int = 1, name: str = "train") -> Split:
    rng = np.random.default_rng([count, size, channels])
    images = rng.integers(0, 256, (count, size, size, channels), dtype=np.uint8)
    return Split(name, images, np.arange(count))


def both(of: Split, image_size: int, control: Control | None = None) -> tuple[Feed, Feed]:
    return (
        make_resident(of, image_size=image_size, channels=3, control=control, device=CPU),
        make_streamed(of, image_size=image_size, channels=3, control=control, device=CPU),
    )


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(1, 300),
    sizes=st.tuples(st.integers(7, 40), st.sampled_from([8, 12, 16, 28, 32, 40])),
    channels=st.sampled_from([1, 3]),
    control=st.sampled_from(CONTROLS),
    name=st.sampled_from(["train", "val", "test"]),
    data=st.data(),
)
def test_held_and_streamed_feed_the_same_bits_in_any_batch(
    count: int,
    sizes: tuple[int, int],
    channels: int,
    control: Control | None,
    name: str,
    data: st.DataObject,
) -> None:
    held, streamed = both(split(count, sizes[0], channels, name), sizes[1], control)
    whole = held.images(slice(None))
    assert whole.shape == (count, channels, sizes[1], sizes[1])
    assert whole.dtype == torch.uint8
    rows = torch.tensor(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=40)))
    start, stop = sorted(data.draw(st.tuples(st.integers(0, count), st.integers(0, count))))
    for part in (rows, rows[:1], slice(start, max(stop, start + 1)), slice(None)):
        assert torch.equal(held.images(part), whole[part])
        assert torch.equal(streamed.images(part), whole[part])


def test_each_split_is_shuffled_by_a_stream_of_its_own() -> None:
    control = Control(kind="shuffle", grid=4)
    train, val = (both(split(9, name=name), 12, control)[1] for name in ("train", "val"))
    assert not torch.equal(train.images(slice(None)), val.images(slice(None)))


@pytest.mark.parametrize(
    ("count", "sizes"), [(20, [8, 8, 4]), (17, [8, 8]), (16, [8, 8]), (1, [1])]
)
@pytest.mark.parametrize("kind", [0, 1])
def test_a_pass_goes_on_where_it_stood(count: int, sizes: list[int], kind: int) -> None:
    feed = both(split(count), 16)[kind]

    def made(skip: int) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], torch.Tensor]:
        order = torch.Generator().manual_seed(5)
        found = list(batches(feed, 8, channels=1, order=order, skip=skip))
        return found, torch.rand(3, generator=order)

    whole, after = made(0)
    assert [len(labels) for _, labels in whole] == sizes
    for skip in range(len(whole) + 2):
        rest, drawn = made(skip)
        assert len(rest) == max(len(whole) - skip, 0)
        for (images, labels), (expected, expected_labels) in zip(rest, whole[skip:], strict=True):
            assert torch.equal(images, expected)
            assert torch.equal(labels, expected_labels)
        assert torch.equal(drawn, after)  # the next epoch's permutation is the same too


def test_batches_are_the_images_of_their_labels_normalised_in_channels_last() -> None:
    of = split(21)  # a label is its image's row
    for feed in both(of, 12):
        order, seen = torch.Generator().manual_seed(0), []
        for images, labels in batches(feed, 8, channels=3, order=order):
            stored = torch.from_numpy(of.images)[labels].permute(0, 3, 1, 2)
            expected = (stored.double() / 127.5 - 1).float().expand(-1, 3, -1, -1)
            torch.testing.assert_close(images, expected, rtol=0, atol=1.2e-7)
            assert images.is_contiguous(memory_format=torch.channels_last)
            seen += labels.tolist()
        assert sorted(seen) == list(range(21))
        assert seen != sorted(seen)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_batch_that_is_held_on_to_never_changes(channels: int) -> None:
    held, _ = both(split(40, 12, channels), 16)
    kept, copies = [], []
    for images, _ in batches(held, 4, channels=3):
        view = images[1:, :, 2:9]  # as autograd or a model may hold a part alone
        kept.append(view)
        copies.append(view.clone())
        del images, view
    for view, copy in zip(kept, copies, strict=True):
        assert torch.equal(view, copy)


def test_labels_are_changed_and_images_kept() -> None:
    for feed in both(split(6), 16):
        other = feed.relabelled(feed.labels.flip(0))
        assert torch.equal(other.labels, torch.arange(6).flip(0))
        assert torch.equal(other.images(slice(None)), feed.images(slice(None)))
        assert torch.equal(feed.labels, torch.arange(6))


def test_colour_is_refused_where_one_channel_is_asked_for() -> None:
    for make in (make_resident, make_streamed):
        with pytest.raises(ValueError, match="images have 3 channels, the suite asks for 1"):
            make(split(4, channels=3), image_size=8, channels=1, control=None, device=CPU)


def test_a_resident_split_is_made_of_tensors_as_they_are() -> None:
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).view(2, 3, 4, 4)
    feed = Resident("val", images, torch.tensor([0, 1]))
    assert torch.equal(feed.images(torch.tensor([1, 0])), images.flip(0))


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_cached_is_what_was_made_and_is_told_apart_by_all_that_decides_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int
) -> None:
    from bench.data import feed as module

    cache, of = Cache(tmp_path), split(30, 12, channels)
    prepared: list[str] = []
    plain = module._prepared

    def seen(of: Split, *rest: object) -> object:
        prepared.append(of.name)
        return plain(of, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_prepared", seen)

    def fed(of: Split, size: int, control: Control | None, origin: str) -> torch.Tensor:
        made = make_resident(
            of, image_size=size, channels=3, control=control, device=CPU, cache=cache, origin=origin
        )
        fresh = make_streamed(of, image_size=size, channels=3, control=control, device=CPU)
        assert torch.equal(made.images(slice(None)), fresh.images(slice(None)))
        return made.images(slice(None))

    asked = [(of, size, control, "a") for size in (16, 20) for control in (None, *CONTROLS[3:])]
    asked += [(of, 16, None, "b"), (Split("val", of.images, of.labels), 16, None, "a")]
    for one in asked:
        fed(*one)
    assert len(prepared) == len(asked) == len(list(tmp_path.glob("*.npy")))
    for one in asked:
        fed(*one)
    assert len(prepared) == len(asked)


def test_what_needs_no_preparation_is_not_cached(tmp_path: Path) -> None:
    of = split(5)
    cache = Cache(tmp_path)
    held = make_resident(of, image_size=12, channels=1, control=None, device=CPU, cache=cache)
    assert torch.equal(held.images(slice(None))[:, 0], torch.from_numpy(of.images[..., 0]))
    assert not list(tmp_path.iterdir())


def test_writing_to_what_is_held_never_reaches_the_cache(tmp_path: Path) -> None:
    def make() -> torch.Tensor:
        return make_resident(
            split(5), image_size=16, channels=1, control=None, device=CPU, cache=Cache(tmp_path)
        ).images(slice(None))

    before = make().clone()
    make().zero_()
    assert torch.equal(make(), before)
    assert before.any()
