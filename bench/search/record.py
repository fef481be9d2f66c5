"""What is kept of a trial: its validation scores. There is no field for a test score."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bench.records.base import Stored
from bench.records.schema import Count, Epoch, Provenance, Scores
from bench.records.single import load_single, save_single
from bench.search.file import trial_id
from bench.specs import RunSpec

FOLDER = "trials"  # below the results folder


class TrialResult(Stored):
    """A finished training and what validation says of it."""

    params_trainable: Count
    images: dict[str, Count]  # of train and val
    epochs: list[Epoch]
    selected_epoch: int
    val: Scores
    train_images_per_s: float
    omitted_arguments: dict[str, str]
    omitted_augmentations: dict[str, str]
    notes: list[str]


class Trial(Stored):
    """One trial, done or failed."""

    schema_version: Literal[1] = 1
    id: str
    search: str  # that asked for it; the trial does not depend on it
    status: Literal["done", "failed", "out-of-memory", "skipped"]
    reason: str | None
    spec: RunSpec
    provenance: Provenance
    result: TrialResult | None


def path_of(results: Path, identity: str) -> Path:
    """Where a trial lies."""
    return results / FOLDER / f"{identity}.json"


def save(trial: Trial, results: Path) -> None:
    """Write one trial whole or not at all."""
    save_single(trial, path_of(results, trial.id))


def load_all(results: Path) -> dict[str, Trial]:
    """Every trial by id.

    Raises:
        InputError: one is damaged.
    """
    found = (load(results, path.stem) for path in sorted((results / FOLDER).glob("*.json")))
    return {trial.id: trial for trial in found if trial is not None}


def load(results: Path, identity: str) -> Trial | None:
    """A trial, or None if there is none.

    Raises:
        InputError: it is damaged.
    """
    return load_single(
        path_of(results, identity),
        Trial,
        lambda trial: {trial_id(trial.spec)},
        called="trial",
        again="search again",
    )
