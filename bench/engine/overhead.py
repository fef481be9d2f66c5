"""What the harness adds to a training: beside a plain loop, and within an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.data import catalog
from bench.data.dataset import Dataset
from bench.data.feed import Feed
from bench.engine.file import Overhead
from bench.engine.plain import medmnist_file, train_by_hand
from bench.engine.record import OverheadResult
from bench.measure.load import LoadWatch
from bench.provenance import processor
from bench.records.schema import SuiteSeen
from bench.records.store import Store
from bench.run.experiment import prepare
from bench.run.recording import execute
from bench.specs import DataIdentity, DatasetSpec, ModelSpec, Optimizer, Protocol, RunSpec
from bench.training.loop import Setting, Trainer

SEED = 0
BATCH_SIZE = 128


def overhead(
    spec: Overhead, threads: int, folder: Path, on_progress: Callable[[str, float], None]
) -> OverheadResult:
    """Whole trainings by both, in turn; which goes first changes each round.

    The harness reads its data anew for each, as the plain loop does, and keeps its record and
    predictions in a folder of its own, so that nothing is found done.

    Raises:
        InputError: the data set is not at hand.
        RuntimeError: a training of the harness failed.
    """
    watch = LoadWatch()
    run = _run_spec(spec, threads)
    harness_s, plain_s = list[float](), list[float]()
    for number in range(spec.rounds + 1):  # the first warms both up and is not kept
        on_progress("whole trainings, in turn", number / (spec.rounds + 1))
        pair: list[tuple[list[float], Callable[[], None]]] = [
            (harness_s, partial(_by_harness, run, folder / f"{number}")),
            (plain_s, partial(_by_hand, spec, threads)),
        ]
        for seconds, train in pair if number % 2 else reversed(pair):
            started = time.perf_counter()
            train()
            seconds.append(time.perf_counter() - started)
    epochs_s, updates_s = _within_epochs(run)
    return OverheadResult(
        harness_s=harness_s[1:],
        plain_s=plain_s[1:],
        epochs_s=epochs_s,
        updates_s=updates_s,
        noisy=watch.stop().noisy,
    )


def _run_spec(spec: Overhead, threads: int) -> RunSpec:
    data = catalog.load(DatasetSpec(name=spec.dataset), 28)
    return RunSpec(
        model=ModelSpec(name=spec.model),
        data=DataIdentity(name=spec.dataset, checksum=data.source.checksum, source_size=28),
        image_size=spec.image_size,
        channels=3,
        control=None,
        protocol=Protocol(
            about="as the plain loop has it",
            source="this project's own",
            epochs=spec.epochs,
            batch_size=BATCH_SIZE,
            optimizer=Optimizer(name="adam", lr=1e-3),
            select="auc",
        ),
        seed=SEED,
        device="cpu",
        precision="float32",
        threads=threads,
    )


def _dataset(run: RunSpec) -> Dataset:
    return catalog.load(DatasetSpec(name=run.data.name), run.data.source_size)


def _by_harness(run: RunSpec, folder: Path) -> None:
    record = execute(
        run,
        _dataset(run),
        store=Store(folder),
        suite=SuiteSeen(name="overhead", seeds=[SEED]),
        device_name=processor(),
    )
    if record.status != "done":
        raise RuntimeError(record.reason)


def _by_hand(spec: Overhead, threads: int) -> None:
    train_by_hand(
        spec.model,
        medmnist_file(spec.dataset),
        image_size=spec.image_size,
        epochs=spec.epochs,
        seed=SEED,
        threads=threads,
    )


class _Timed(Trainer):
    """Knows how long its epochs and the updates in them took."""

    def __init__(self, model: torch.nn.Module, train: Feed, val: Feed, setting: Setting) -> None:
        super().__init__(model, train, val, setting)
        self.epochs_s, self.updates_s = list[float](), list[float]()

    def update(self, images: Tensor, labels: Tensor) -> Tensor:
        started = time.perf_counter()
        loss = super().update(images, labels)
        self.updates_s[-1] += time.perf_counter() - started
        return loss

    def _train_epoch(self, started: float) -> float:
        self.updates_s.append(0.0)
        began = time.perf_counter()
        loss = super()._train_epoch(started)
        self.epochs_s.append(time.perf_counter() - began)
        return loss


def _within_epochs(run: RunSpec) -> tuple[list[float], list[float]]:
    """Seconds of each epoch's training pass, and of its updates alone; the first warms up."""
    prepared = prepare(run, _dataset(run))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        timed = _Timed(prepared.built.model, prepared.train, prepared.val, prepared.setting)
        timed.run()
    return timed.epochs_s[1:], timed.updates_s[1:]


def share_beside_updates(result: OverheadResult) -> float:
    """The part of an epoch that is not forward, backward and optimizer; the median epoch's."""
    shares = [1 - u / e for e, u in zip(result.epochs_s, result.updates_s, strict=True)]
    return float(np.median(shares))
