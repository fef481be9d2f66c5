"""What is kept of a study's training: validation and test scores of every epoch.

It is of a kind of its own, in a folder of its own, and has none of the fields by which a suite's
tables collect results: scores that were looked at every epoch are no results.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from bench.records.base import Stored
from bench.records.schema import Count, Provenance, Share
from bench.records.single import load_single, save_single
from bench.specs import Protocol, RunSpec
from bench.study.file import study_id

FOLDER = Path("studies") / "selection"  # below the results folder


class LookedAt(Stored):
    """One epoch as both splits score it; AUC is of the classes present, None where undefined."""

    epoch: int = Field(ge=1)
    val_loss: float
    val_acc: Share
    val_auc: Share | None
    test_acc: Share
    test_auc: Share | None


class StudyResult(Stored):
    """A finished training, all of whose epochs were scored on test."""

    params_trainable: Count
    images: dict[str, Count]  # by split
    epochs: list[LookedAt] = Field(min_length=1)
    validation_chose: int  # the epoch, by the protocol's own criterion
    omitted_arguments: dict[str, str]
    omitted_augmentations: dict[str, str]
    notes: list[str]

    @model_validator(mode="after")
    def _epochs_in_order(self) -> StudyResult:
        if [one.epoch for one in self.epochs] != list(range(1, len(self.epochs) + 1)):
            raise ValueError("epochs: they must be numbered from 1")
        return self


class StudyRecord(Stored):
    """One training of a study, done or failed."""

    schema_version: Literal[1] = 1
    kind: Literal["selection-study"] = "selection-study"
    id: str
    study: str  # that asked for it; the training does not depend on it
    status: Literal["done", "failed", "out-of-memory", "skipped"]
    reason: str | None
    spec: RunSpec
    provenance: Provenance
    looked_at: StudyResult | None

    @model_validator(mode="after")
    def _validation_chose(self) -> StudyRecord:
        """The chosen epoch is the first that validation scores highest."""
        if self.looked_at is None:
            return self
        worths = [_worth(self.spec.protocol, one) for one in self.looked_at.epochs]
        best = 1 + worths.index(max(worths))
        if self.looked_at.validation_chose != best:
            told = f"{self.looked_at.validation_chose}, but validation scores epoch {best} highest"
            raise ValueError(f"looked_at.validation_chose: {told}")
        return self


def _worth(protocol: Protocol, one: LookedAt) -> float:
    values = {"auc": one.val_auc, "acc": one.val_acc, "loss": -one.val_loss}
    value = values[protocol.select]
    return float("-inf") if value is None else value


def path_of(results: Path, identity: str) -> Path:
    """Where a record of a study lies."""
    return results / FOLDER / f"{identity}.json"


def save(record: StudyRecord, results: Path) -> None:
    """Write one record whole or not at all."""
    save_single(record, path_of(results, record.id))


def load_all(results: Path) -> dict[str, StudyRecord]:
    """Every record by id.

    Raises:
        InputError: one is damaged.
    """
    found = (load(results, path.stem) for path in sorted((results / FOLDER).glob("*.json")))
    return {record.id: record for record in found if record is not None}


def load(results: Path, identity: str) -> StudyRecord | None:
    """A record, or None if there is none.

    Raises:
        InputError: it is damaged.
    """
    return load_single(
        path_of(results, identity),
        StudyRecord,
        lambda record: {study_id(record.spec), record.id},
        called="record of a study",
        again="run the study again",
    )
