"""What is kept of an audit of a data set: duplicates, contradictions, balance, flat images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from bench.audit_file import AuditSpec
from bench.errors import InputError
from bench.records.base import Stored
from bench.records.schema import Count, Provenance
from bench.records.store import write_atomic
from bench.specs import Task, describe_invalid
from bench.toml_file import shown

FOLDER = "audit"  # below the results folder

SplitName = Literal["train", "val", "test"]


class Member(Stored):
    """One image of a group; ``label`` is a class index or, with several labels, zeros and ones."""

    split: SplitName
    index: Count
    label: int | list[int]


class Group(Stored):
    """Images that are copies of one another, by way of others if need be.

    ``likeness`` is the lowest of its near pairs; 1 where all are the same bytes.
    """

    members: Annotated[list[Member], Field(min_length=2)]
    labels_differ: bool
    likeness: float


class SplitAudit(Stored):
    """One split on its own; ``per_class`` counts images (with several labels: those that carry it).

    ``constant`` images are of one value all over and among the ``flat`` ones too.
    """

    name: SplitName
    images: Count
    per_class: list[Count]
    constant: list[Count]
    flat: list[Count]


class SplitPair(Stored):
    """Pairs of images within a split, or of one split and a later one.

    ``counted`` holds the pairs of different images at each likeness of ``spec.counted``.
    """

    splits: tuple[SplitName, SplitName]
    exact: Count
    near: Count
    labels_differ: Count  # of the exact and near ones
    counted: list[Count]


class ContaminatedTest(Stored):
    """Indices of test images that have a copy in train or val, rising."""

    exact: list[Count]
    near: list[Count]  # those with an exact copy there are not repeated here
    labels_differ: list[Count]  # of both: the copy there carries another label

    @property
    def images(self) -> list[int]:
        """Every one of them, rising."""
        return sorted({*self.exact, *self.near})


class AuditRecord(Stored):
    """One audit of one data set at one source size."""

    schema_version: Literal[1] = 1
    spec: AuditSpec
    dataset: str
    task: Task
    class_names: list[str]
    checksum: str
    source_size: int
    channels: Literal[1, 3]
    official: bool | None
    synthetic: bool
    licence: str
    note: str
    splits: list[SplitAudit]
    pairs: list[SplitPair]
    exact: list[Group]
    near: list[Group]  # at least one pair of each is near and not exact
    contaminated_test: ContaminatedTest
    provenance: Provenance

    @property
    def stem(self) -> str:
        """What its file is called."""
        return f"{self.dataset}-{self.source_size}"


def save(record: AuditRecord, results: Path) -> Path:
    """Write the record whole or not at all; returns its path."""
    path = results / FOLDER / f"{record.stem}.json"
    write_atomic(path, (record.model_dump_json(indent=1) + "\n").encode())
    return path


def load_all(results: Path) -> list[AuditRecord]:
    """Every audit there is, by data set and source size.

    Raises:
        InputError: one cannot be read, or is of another data set than its file's name says.
    """
    records = [_load(path) for path in (results / FOLDER).glob("*.json")]
    return sorted(records, key=lambda record: (record.dataset, record.source_size))


def _load(path: Path) -> AuditRecord:
    try:
        record = AuditRecord.model_validate_json(path.read_text(encoding="utf-8"))
        if record.stem != path.stem:
            raise ValueError(f"it is of {record.stem}")
    except (ValueError, OSError) as error:  # pydantic's and Unicode's errors are ValueErrors
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"damaged record: {why}",
            remedy=f"make it anew: python -m bench data {path.stem.rpartition('-')[0]} --audit",
            file=shown(path),
        ) from None
    return record
