"""Mapped files: the same arrays and checksum as read whole, the lock kept, damage still refused."""

from __future__ import annotations

import mmap
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.data import catalog, npz
from bench.data.arrays import Flaw
from bench.data.dataset import Dataset
from bench.errors import DataUnavailable, InputError, RunFailed
from bench.specs import DatasetSpec

Arrays = dict[str, Any]
StandIn = Callable[[str, int], Arrays]
ROOT = Path(__file__).resolve().parents[3]


class Final:
    is_final = True


def own_arrays(channels: int = 1, size: int = 16) -> Arrays:
    rng = np.random.default_rng(0)
    made: Arrays = {}
    for split, count in (("train", 9), ("val", 6), ("test", 7)):
        shape = (count, size, size) + ((3,) if channels == 3 else ())
        made[f"{split}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        made[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    return made


def load(path: Path, *, stream: bool, size: int = 16) -> Dataset:
    return catalog.load(DatasetSpec(name="mine", path=str(path)), size, stream=stream)


def rests_on_a_map(array: NDArray[Any]) -> bool:
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache's folder, empty."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("BENCH_CACHE", str(folder))
    return folder


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("channels", [1, 3])
def test_mapped_or_read_the_data_is_the_same(
    tmp_path: Path, cache: Path, save: Callable[..., None], channels: int
) -> None:
    path = tmp_path / "mine.npz"
    save(path, **own_arrays(channels))
    whole, mapped = load(path, stream=False), load(path, stream=True)
    assert mapped.source == whole.source
    pairs = [(whole.train, mapped.train), (whole.val, mapped.val)]
    pairs += [(whole.test.open(Final()), mapped.test.open(Final()))]
    for read, left in pairs:
        assert rests_on_a_map(left.images)
        assert not rests_on_a_map(read.images)
        assert left.name == read.name
        np.testing.assert_array_equal(left.images, read.images)
        np.testing.assert_array_equal(left.labels, read.labels)
    with pytest.raises(ValueError, match="read-only"):
        mapped.train.images[0] = 0


def test_what_is_stored_is_mapped_in_place_even_behind_long_headers(
    tmp_path: Path, cache: Path
) -> None:
    path = tmp_path / "mine.npz"
    arrays = own_arrays()
    with zipfile.ZipFile(path, "w") as archive:
        for key, array in arrays.items():
            np.save(tmp_path / "one.npy", array)
            info = zipfile.ZipInfo(f"{key}.npy")
            info.extra = b"\xfe\xca\x05\x00extra"  # in the local header
            archive.writestr(info, (tmp_path / "one.npy").read_bytes())
    data = load(path, stream=True)
    np.testing.assert_array_equal(data.train.images[..., 0], arrays["train_images"])
    np.testing.assert_array_equal(data.val.images[..., 0], arrays["val_images"])
    assert not cache.exists()


def test_what_is_compressed_is_unpacked_once_and_the_test_split_only_when_its_lock_opens(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, **own_arrays())
    data = load(path, stream=True)
    assert len(data.test) == 7
    assert len(list(cache.glob("*.npy"))) == 2  # train and val
    data.test.open(Final())
    assert len(list(cache.glob("*.npy"))) == 3
    kept = {file: file.stat().st_ino for file in cache.glob("*.npy")}
    again = load(path, stream=True).for_next_run()
    np.testing.assert_array_equal(
        again.test.open(Final()).images[..., 0], own_arrays()["test_images"]
    )
    assert {file: file.stat().st_ino for file in cache.glob("*.npy")} == kept


def test_without_a_cache_what_is_compressed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, **own_arrays())
    data = load(path, stream=True)
    np.testing.assert_array_equal(data.train.images[..., 0], own_arrays()["train_images"])


def test_a_published_set_is_mapped_and_checked_as_when_read(
    medmnist_root: Path, stand_in: StandIn, cache: Path
) -> None:
    path = medmnist_root / "breastmnist.npz"
    arrays = stand_in("breastmnist", 28)
    spec = DatasetSpec(name="breastmnist")
    np.savez(path, **arrays)
    mapped = catalog.load(spec, 28, stream=True)
    assert mapped.source == catalog.load(spec, 28).source
    assert rests_on_a_map(mapped.train.images)
    np.savez(path, **{key: array[:-2] for key, array in arrays.items()})
    with pytest.raises(DataUnavailable, match=r"544 images, MedMNIST v2 has 546 \(another version"):
        catalog.load(spec, 28, stream=True)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_flipped_byte_is_refused_before_anything_is_trained(
    tmp_path: Path, cache: Path, save: Callable[..., None]
) -> None:
    path = tmp_path / "mine.npz"
    save(path, **own_arrays())
    place = npz.Member.of(path, "test_images").place
    content = bytearray(path.read_bytes())
    if place is None:  # within the compressed bytes of the test images
        with zipfile.ZipFile(path) as archive:
            place = archive.getinfo("test_images.npy").header_offset + 200
    content[place + 500] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="test_images: is damaged"):
        load(path, stream=True)


def put(key: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.__setitem__(key, change(arrays[key]))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (put("test_labels", lambda a: a[:-1]), "test_labels: 6 labels for 7 images"),
        (put("val_labels", lambda a: a.astype(float)), "val_labels: is float64, not an integer"),
        (put("val_images", lambda a: a.astype(np.int16)), "val_images: is int16, not uint8"),
        (put("test_images", lambda a: a[:, :9]), r"test_images: images have shape \(9, 16\)"),
        (put("train_images", np.asfortranarray), "train_images: is in Fortran order"),
        (lambda arrays: arrays.pop("test_images"), "has no array 'test_images'"),
    ],
)
def test_faults_are_named_as_when_read(
    tmp_path: Path, spoil: Callable[[Arrays], Any], problem: str
) -> None:
    arrays, path = own_arrays(), tmp_path / "mine.npz"
    spoil(arrays)
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=problem):
        load(path, stream=True)


def test_a_length_that_its_header_does_not_say_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **own_arrays())
    with zipfile.ZipFile(path, "a") as archive:
        np.save(tmp_path / "one.npy", np.zeros((4, 16, 16), dtype=np.uint8))
        archive.writestr("more.npy", (tmp_path / "one.npy").read_bytes() + b"\0")
    with pytest.raises(Flaw, match="its length is not what its header says"):
        npz.Member.of(path, "more")


def test_a_folder_streams_from_a_file_without_a_name(tmp_path: Path, cache: Path) -> None:
    from PIL import Image

    for split in ("train", "val", "test"):
        for name in ("a", "b"):
            (tmp_path / "images" / split / name).mkdir(parents=True)
            for index in range(2):
                grey = np.full((16, 16), index * 9 + len(split), dtype=np.uint8)
                Image.fromarray(grey).save(tmp_path / "images" / split / name / f"{index}.png")
    whole = load(tmp_path / "images", stream=False)
    mapped = load(tmp_path / "images", stream=True)
    assert mapped.source == whole.source
    assert rests_on_a_map(mapped.train.images)
    np.testing.assert_array_equal(mapped.train.images, whole.train.images)
    assert not list(cache.iterdir())


CHILD = """
import resource, sys
import numpy as np, torch
from bench.data import catalog
from bench.data.feed import batches, make_resident, make_streamed
from bench.specs import DatasetSpec

torch.set_num_threads(1)
torch.nn.functional.interpolate(torch.zeros(1, 1, 8, 8), (16, 16), mode="bilinear", antialias=True)
used = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmData")) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 120_000_000,) * 2)
stream = sys.argv[2] == "stream"
data = catalog.load(DatasetSpec(name="mine", path=sys.argv[1]), 128, stream=stream)
asked = dict(image_size=32, channels=1, control=None, device=torch.device("cpu"))
total = 0
for split in (data.train, data.val):
    feed = (make_streamed if stream else make_resident)(split, **asked)
    order = torch.Generator().manual_seed(0)
    for images, labels in batches(feed, 128, channels=1, order=order):
        total += len(labels)
print(total)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts maps on Linux alone")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_memory_stays_flat_for_data_that_does_not_fit(
    tmp_path: Path, cache: Path, save: Callable[..., None]
) -> None:
    """330 MB of images, 120 MB to work in: streamed they pass, read whole they do not."""
    images = np.zeros((20_000, 128, 128), dtype=np.uint8)
    images[::50] = np.random.default_rng(0).integers(0, 256, (400, 128, 128), dtype=np.uint8)
    labels = (np.arange(len(images)) % 2).astype(np.uint8)[:, None]
    few = {"val": 1000, "test": 500}
    arrays = {"train_images": images, "train_labels": labels}
    for split, count in few.items():
        arrays |= {f"{split}_images": images[:count], f"{split}_labels": labels[:count]}
    path = tmp_path / "mine.npz"
    save(path, **arrays)

    def child(mode: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(CHILD), str(path), mode]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    streamed = child("stream")
    assert streamed.returncode == 0, streamed.stderr
    assert int(streamed.stdout) == 20_000 + 1000
    assert "MemoryError" in child("whole").stderr


@pytest.mark.parametrize("gone", [False, True])
def test_a_file_that_changes_while_it_is_streamed_is_not_tested_on(
    tmp_path: Path, cache: Path, gone: bool
) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **own_arrays())
    mapped, whole = load(path, stream=True), load(path, stream=False)
    if gone:
        path.unlink()
    else:
        np.savez(path, **(own_arrays() | {"test_images": own_arrays()["test_images"][::-1]}))
    with pytest.raises(RunFailed, match="changed while its images were streamed"):
        mapped.test.open(Final())
    assert len(whole.test.open(Final())) == 7
