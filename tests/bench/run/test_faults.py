"""What goes wrong around a run: no memory, no room on the disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.records.schema import Record
from bench.records.store import Store
from bench.run.fitting import is_out_of_memory, largest_that_fits
from tests.bench.conftest import Command

FITS = 5  # images a pass


class Large(nn.Module):
    """Runs out of memory, as torch says it on Linux, above so many images."""

    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__()
        self.head = nn.Linear(in_chans, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        if len(images) > FITS and self.training:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")
        out: Tensor = self.head(images.mean((2, 3)))
        return out


def large(num_classes: int, in_chans: int) -> nn.Module:
    """A suite's factory."""
    return Large(num_classes, in_chans)


def _only(results: Path) -> Record:
    (record,) = Store(results).all()
    return record


def test_a_run_too_large_says_which_batch_fits(
    bench: Command, suite_file: Path, results: Path
) -> None:
    text = suite_file.read_text().replace(
        'timm = "test_resnet"', 'factory = "tests.bench.run.test_faults:large"'
    )
    suite_file.write_text(text)
    said = bench("run", suite_file, "--only", "model=small,seed=1")
    assert said.code == 1
    record = _only(results)
    assert record.status == "out-of-memory"
    assert record.reason is not None
    assert "a batch of 4 fits: set batch_size = 4, or accumulate = 4" in record.reason


def test_with_accumulation_the_same_run_fits(
    bench: Command, suite_file: Path, results: Path
) -> None:
    protocol = suite_file.parent / "tiny.toml"
    protocol.write_text(protocol.read_text().replace("epochs = 1", "epochs = 1\naccumulate = 4"))
    text = suite_file.read_text().replace(
        'timm = "test_resnet"', 'factory = "tests.bench.run.test_faults:large"'
    )
    suite_file.write_text(text)
    assert bench("run", suite_file, "--only", "model=small,seed=1").code == 0
    record = _only(results)
    assert record.status == "done"
    plain = record.spec.model_copy(
        update={"protocol": record.spec.protocol.model_copy(update={"accumulate": 1})}  # type: ignore[union-attr]
    )
    assert plain.id != record.id  # another training


def test_halving_ends_at_two_and_at_other_errors() -> None:
    tried = list[int]()

    def never(size: int) -> None:
        tried.append(size)
        raise torch.cuda.OutOfMemoryError("no")

    def breaks(size: int) -> None:
        raise ValueError("other")

    assert largest_that_fits(never, 24) is None
    assert tried == [24, 12, 6, 3]
    with pytest.raises(ValueError, match="other"):
        largest_that_fits(breaks, 24)
    assert largest_that_fits(lambda size: None, 24) == 24
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ValueError("CUDA out of memory"))


def test_a_full_disk_ends_the_suite_and_loses_nothing(
    bench: Command, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = ("--only", "model=small,seed=1", "--checkpoint-every", "0")
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.suffix == ".npz":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    said = bench("run", suite_file, *only)
    assert said.code == 2
    assert "No space left on device" in said.err
    assert "Traceback" not in said.err
    assert not list((results / "records").glob("*"))
    assert len(list((results / "checkpoints").glob("*.pt"))) == 1
    monkeypatch.undo()
    monkeypatch.setenv("BENCH_RESULTS", str(results))
    assert bench("run", suite_file, *only).code == 0
    record = _only(results)
    assert record.training is not None
    assert record.training.resumed_at_updates  # it went on from the kept checkpoint
    assert not list((results / "checkpoints").glob("*"))


def test_a_failed_run_leaves_no_checkpoint(bench: Command, suite_file: Path, results: Path) -> None:
    protocol = suite_file.parent / "tiny.toml"
    protocol.write_text(
        protocol.read_text().replace("lr = 1e-3", "lr = 10.0").replace("adamw", "sgd")
    )
    text = suite_file.read_text().replace(
        'timm = "test_resnet"', 'factory = "tests.bench.run.test_faults:explodes"'
    )
    suite_file.write_text(text)
    only = ("--only", "model=small,seed=1", "--checkpoint-every", "0")
    assert bench("run", suite_file, *only).code == 1
    record = _only(results)
    assert record.status == "failed"
    assert record.reason is not None
    assert "loss became nan" in record.reason
    assert not list((results / "checkpoints").glob("*"))


class Explodes(nn.Module):
    """Its loss is not a number."""

    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__()
        self.head = nn.Linear(in_chans, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.head(images.mean((2, 3)))
        return out * float("nan") if self.training else out


def explodes(num_classes: int, in_chans: int) -> nn.Module:
    """A suite's factory."""
    return Explodes(num_classes, in_chans)
