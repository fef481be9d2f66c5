"""Findings of stored runs: those worked out before come from the cache, the others are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.code import findings_digest
from bench.report.collect import Collected, Variant
from bench.report.derived import from_predictions
from bench.report.verdicts.analysis import Analysis, judge
from bench.report.verdicts.calibration import Calibration
from bench.report.verdicts.runs import RunFindings, look_at
from bench.report.verdicts.stored import compared_records, identified, read_run
from bench.statistics.bayesian_signed_rank import DRAWS
from bench.statistics.delong import AucParts
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.two_classes import TwoClasses


def stored_analyses(collected: Collected, store: Store) -> dict[Variant, Analysis]:
    """The whole analysis of a suite, apart by kind of device. Raises as :func:`findings_of`."""
    settings = collected.suite.settings
    return {
        variant: judge(
            findings_of(records, store),
            subject=settings.subject or "",
            region=settings.statistics.region,
            draws=DRAWS,
        )
        for variant, records in compared_records(collected).items()
    }


def findings_of(records: Sequence[Record], store: Store) -> list[RunFindings]:
    """Everything that is said of each run alone, in the given order.

    Raises:
        InputError: a file of predictions cannot be read.
        KeyError: it lacks a split.
    """

    def make(record: Record) -> bytes:
        return _packed(look_at(read_run(record, store)))

    made = from_predictions("findings", findings_digest(), records, store, make)
    return [_unpacked(content, record) for content, record in zip(made, records, strict=True)]


@dataclass(frozen=True)
class _Said:
    """Findings without their arrays, and each array's type and shape, in order."""

    acc: IntervalEstimate
    auc: IntervalEstimate
    auc_value: float | None
    auc_blank: str | None
    two_classes: TwoClasses | None
    calibration: Calibration
    arrays: list[tuple[str, list[int]]]


_SAID = TypeAdapter(_Said)


def _packed(found: RunFindings) -> bytes:
    """One line of JSON, then the arrays; those of small whole numbers as bytes."""
    parts = found.auc_parts.parts
    arrays = [_small(found.labels), _small(found.right)] + ([] if parts is None else [parts])
    said = _Said(
        found.acc,
        found.auc,
        found.auc_parts.value,
        found.auc_parts.blank,
        found.two_classes,
        found.calibration,
        [(array.dtype.str, [*array.shape]) for array in arrays],
    )
    return b"\n".join([_SAID.dump_json(said), b"".join(array.tobytes() for array in arrays)])


def _small(array: NDArray[Any]) -> NDArray[Any]:
    small = array.astype(np.uint8)
    return small if np.array_equal(small, array) else array


def _unpacked(content: bytes, record: Record) -> RunFindings:
    head, _, body = content.partition(b"\n")
    said = _SAID.validate_json(head)
    arrays, start = [], 0
    for kind, shape in said.arrays:
        count = int(np.prod(shape))
        array = np.frombuffer(body, np.dtype(kind), count, start).reshape(shape)
        start += array.nbytes
        arrays.append(array)
    labels, right, *parts = arrays
    return RunFindings(
        **identified(record),
        labels=labels.astype(np.int64),
        right=right.astype(np.float64),
        acc=said.acc,
        auc_parts=AucParts(said.auc_value, parts[0] if parts else None, said.auc_blank),
        auc=said.auc,
        two_classes=said.two_classes,
        calibration=said.calibration,
    )
