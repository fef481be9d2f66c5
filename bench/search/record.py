"""What is kept of a trial: its validation scores. There is no field for a test score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from bench.errors import InputError
from bench.records.base import Stored
from bench.records.schema import Count, Epoch, Provenance, Scores
from bench.records.store import write_atomic
from bench.search.file import trial_id
from bench.specs import RunSpec, describe_invalid
from bench.toml_file import shown

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
    text = json.dumps(trial.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomic(path_of(results, trial.id), (text + "\n").encode())


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
    path = path_of(results, identity)
    if not path.exists():
        return None
    try:
        trial = Trial.model_validate_json(path.read_text(encoding="utf-8"))
        if trial_id(trial.spec) != identity:
            raise ValueError(f"its content belongs to the id {trial_id(trial.spec)}")
    except (ValidationError, ValueError, OSError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"damaged trial: {why}", remedy="delete it and search again", file=shown(path)
        ) from None
    return trial
