"""Feeding timed against medmnist's ``Dataset`` behind PyTorch's ``DataLoader``.

Both read one file and give shuffled batches of normalised RGB images on the device. A whole pass
over the training split by one, then by the other, in rounds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import transforms

from bench.data import medmnist
from bench.data.arrays import read_arrays
from bench.data.cache import Cache
from bench.data.dataset import Split
from bench.data.feed import batches, make_resident
from bench.engine.record import FeedingResult
from bench.measure.timing import Lane, run_rounds, synchronise
from bench.statistics.timings import speed_ratio

FLAG = "pneumoniamnist"
SOURCE_SIZE = 28  # pixels
TRAIN_IMAGES = 4708  # of PneumoniaMNIST, and of its stand-in
CHANNELS = 3
BATCH_SIZE = 128
WORKERS = 2

NewPass = Callable[[], Iterable[tuple[Tensor, Tensor]]]
"""Begins one pass over the batches of a path that is ready."""


def measure_feeding(
    image_size: int, rounds: int, device: torch.device, *, file: Path | None = None
) -> FeedingResult:
    """Time both paths from 28 pixels to ``image_size``, in rounds.

    Args:
        rounds: timed passes of each path, two at least; with six the interval has its 95 %.
        device: where each batch ends, synchronised.
        file: an ``.npz`` in MedMNIST's form to feed; by default PneumoniaMNIST where it is at
            hand, else a stand-in of its form.

    Raises:
        ValueError: fewer than two rounds.
        RuntimeError: a path failed while it was timed.
    """
    from medmnist import PneumoniaMNIST  # loads much and makes a folder in the user's home

    if rounds < 2:
        raise ValueError(f"an interval needs 2 rounds or more, got {rounds}")
    found = file or medmnist.locate(FLAG, SOURCE_SIZE)
    with tempfile.TemporaryDirectory(prefix="bench-feeding-") as name:
        linked = Path(name) / f"{FLAG}.npz"  # the name that the package looks for
        if found is None:
            write_stand_in(linked, TRAIN_IMAGES)
        else:
            linked.symlink_to(found.resolve())
        cache = Cache(Path(name) / "cache")
        ours, ours_first_s = _started(lambda: _ours(linked, image_size, device, cache), device)
        _, cached_first_s = _started(lambda: _ours(linked, image_size, device, cache), device)
        theirs, theirs_first_s = _started(
            lambda: _theirs(PneumoniaMNIST, linked, image_size, device), device
        )
        images = sum(len(labels) for _, labels in ours())
        lanes = Lane("ours", _pass(ours, device)), Lane("theirs", _pass(theirs, device))
        run_rounds(
            lanes,
            rounds=rounds,
            seconds_per_lane=0.0,  # one pass a visit
            rng=np.random.default_rng(0),
            settle=False,  # a pass is long: its first batches bring the caches back
        )
    for lane in lanes:
        if lane.failure is not None:
            raise RuntimeError(f"{lane.label}: {lane.failure}")
    ratio = speed_ratio(lanes[0].rounds_s, lanes[1].rounds_s)
    return FeedingResult(
        image_size=image_size,
        source_size=SOURCE_SIZE,
        channels=CHANNELS,
        batch_size=BATCH_SIZE,
        workers=WORKERS,
        data=f"stand-in for {FLAG}" if found is None else found.stem,
        images=images,
        device=str(device),
        threads=torch.get_num_threads(),
        ours_s=[seconds for passes in lanes[0].rounds_s for seconds in passes],
        theirs_s=[seconds for passes in lanes[1].rounds_s for seconds in passes],
        ours_images_per_s=images / lanes[0].median_s(),
        theirs_images_per_s=images / lanes[1].median_s(),
        ratio=ratio.value,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        ours_first_batch_s=ours_first_s,
        ours_cached_first_batch_s=cached_first_s,
        theirs_first_batch_s=theirs_first_s,
    )


def write_stand_in(file: Path, count: int) -> None:
    """``count`` random grey training images of PneumoniaMNIST's form, by seed."""
    rng = np.random.default_rng(0)
    np.savez(
        file,
        train_images=rng.integers(0, 256, (count, SOURCE_SIZE, SOURCE_SIZE), dtype=np.uint8),
        train_labels=rng.integers(0, 2, (count, 1), dtype=np.uint8),
    )


def _ours(file: Path, image_size: int, device: torch.device, cache: Cache) -> NewPass:
    arrays = read_arrays(file, ["train_images", "train_labels"])
    split = Split(
        "train", arrays["train_images"][..., None], arrays["train_labels"][:, 0].astype(np.int64)
    )
    feed = make_resident(
        split, image_size=image_size, channels=CHANNELS, control=None, device=device, cache=cache
    )
    order = torch.Generator().manual_seed(0)
    return lambda: batches(feed, BATCH_SIZE, channels=CHANNELS, order=order)


def _theirs(dataset_class: Any, file: Path, image_size: int, device: torch.device) -> NewPass:
    """As medmnist's own examples have it."""
    dataset = dataset_class(
        split="train",
        root=str(file.parent),
        as_rgb=True,
        transform=transforms.Compose(
            [
                transforms.Resize((image_size, image_size)),
                transforms.ToTensor(),
                transforms.Normalize(mean=[0.5], std=[0.5]),
            ]
        ),
    )
    dataset.info = {**dataset.info, "n_samples": {"train": len(dataset.imgs)}}  # it asserts them
    loader = DataLoader(
        dataset,
        batch_size=BATCH_SIZE,
        shuffle=True,
        num_workers=WORKERS,
        persistent_workers=True,
        pin_memory=device.type == "cuda",
        generator=torch.Generator().manual_seed(0),
    )

    def new_pass() -> Iterable[tuple[Tensor, Tensor]]:
        for images, labels in loader:
            yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)

    return new_pass


def _started(make_ready: Callable[[], NewPass], device: torch.device) -> tuple[NewPass, float]:
    """The path, and the seconds from nothing to its first batch."""
    start = time.perf_counter()
    new_pass = make_ready()
    next(iter(new_pass()))
    synchronise(device)
    return new_pass, time.perf_counter() - start


def _pass(new_pass: NewPass, device: torch.device) -> Callable[[], None]:
    def step() -> None:
        for _ in new_pass():
            pass
        synchronise(device)

    return step
