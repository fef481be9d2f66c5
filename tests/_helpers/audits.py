"""Splits with planted faults, and a data set of them."""

from __future__ import annotations

import numpy as np

from bench.data.dataset import Dataset, LockedSplit, Source, Split

SIZES = {"train": 30, "val": 12, "test": 20}


def noise(count: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 14, 14, 1), dtype=np.uint8)


def clean() -> dict[str, Split]:
    """Three splits of noise, labels 0 and 1 in turn: nothing to find."""
    return {
        name: Split(name, noise(count, seed), (np.arange(count) % 2).astype(np.int64))
        for seed, (name, count) in enumerate(SIZES.items())
    }


def planted() -> dict[str, Split]:
    """Six faults: see the test that looks for each."""
    splits = clean()
    train, val, test = (splits[name] for name in SIZES)
    val.images[3] = train.images[4]  # exact, train 4 (0) and val 3 (1): labels differ
    test.images[6] = test.images[8] = train.images[10]  # exact, three images, all of label 0
    train.images[20] = train.images[21]  # exact within train, labels differ
    test.images[11] = val.images[7] // 2 + 40  # near, another contrast; both of label 1
    test.images[12] = train.images[13] // 2 + 40  # near; 0 and 1
    test.images[15], test.images[16] = 0, 90  # constant
    return splits


def dataset(splits: dict[str, Split]) -> Dataset:
    return Dataset(
        name="mine",
        task="binary-class",
        class_names=("dark", "bright"),
        source_size=14,
        source=Source("here", "sha256:1", official=None),
        label_preserving=frozenset(),
        train=splits["train"],
        val=splits["val"],
        test=LockedSplit(splits["test"]),
    )
