"""Findings of stored runs: those worked out before come from the cache, the others are made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.cache import DerivedCache, key
from bench.report.code import findings_digest
from bench.report.collect import Collected, Variant
from bench.report.processes import mapped
from bench.report.verdicts.analysis import Analysis, judge
from bench.report.verdicts.calibration import Calibration
from bench.report.verdicts.runs import RunFindings, look_at
from bench.report.verdicts.stored import compared_records, identified, read_run
from bench.statistics.bootstrap import DRAWS
from bench.statistics.delong import AucParts
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.two_classes import TwoClasses

_WORTH_A_PROCESS = 50  # runs


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


def findings_of(records: Sequence[Record], store: Store, draws: int = DRAWS) -> list[RunFindings]:
    """Everything that is said of each run alone, in the given order.

    What is kept belongs to the very bytes of the predictions, which are read anew each time.

    Raises:
        InputError: a file of predictions cannot be read.
        KeyError: it lacks a split.
    """
    cache, code = DerivedCache.from_environment(), findings_digest()
    keys = [_key(record, store, code, draws) for record in records]
    known = cache.get(keys)
    found = [_unpacked(known.get(name), record) for name, record in zip(keys, records, strict=True)]

    def make(place: int) -> bytes | None:
        """None where it cannot be made, or its file changed meanwhile."""
        try:
            made = _packed(look_at(read_run(records[place], store), draws))
            return made if _key(records[place], store, code, draws) == keys[place] else None
        except Exception:  # met again below, in the process that can tell of it
            return None

    lacking = [place for place, one in enumerate(found) if one is None]
    made = dict(zip(lacking, mapped(make, lacking, least=_WORTH_A_PROCESS), strict=True))
    cache.put({keys[place]: content for place, content in made.items() if content is not None})
    return [
        one or _unpacked(made[place], record) or look_at(read_run(record, store), draws)
        for place, (one, record) in enumerate(zip(found, records, strict=True))
    ]


def _key(record: Record, store: Store, code: str, draws: int) -> bytes:
    """Of the file's content as it is now, and of all else that decides the findings."""
    try:
        content = store.predictions_path(record.id).read_bytes()
    except OSError:
        content = b""
        store.load_predictions(record.id)  # tells what is wrong
    task = record.training.data.task if record.training else ""
    return key("findings", code, record.id, hashlib.sha256(content).hexdigest(), task, str(draws))


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


def _unpacked(content: bytes | None, record: Record) -> RunFindings | None:
    """None for nothing, or for what was packed otherwise than this code does."""
    if content is None:
        return None
    head, _, body = content.partition(b"\n")
    try:
        said = _SAID.validate_json(head)
    except ValidationError:
        return None
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
