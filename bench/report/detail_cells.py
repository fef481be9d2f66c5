"""The cells of full cost measurements, as tables take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from bench.details import FormsSpec, MachineSpec, MemorySpec, ScalingSpec
from bench.records.details import DetailResult, MemoryResult
from bench.records.schema import Record
from bench.report.context import NOISY, STALE, Context
from bench.report.table.model import Cell
from bench.statistics.timings import Rounds

Kind = TypeVar("Kind", FormsSpec, MemorySpec, ScalingSpec, MachineSpec)


def cells(context: Context, kind: type[Kind]) -> Iterator[tuple[Record, Kind]]:
    """The records of one kind, each with what it measured."""
    for record in context.collected.details:
        if isinstance(record.spec, kind):
            yield record, record.spec


def name_of(context: Context, record: Record, model: str) -> Cell:
    """The model with the footnotes of a cell that failed, is noisy or of older code."""
    sentences = []
    result: DetailResult | None = record.detail
    if result is None:
        sentences.append(f"Not measured: {record.reason}.")
    elif not isinstance(result, MemoryResult) and result.noisy:
        sentences.append(NOISY)
    if record.id in context.collected.stale:
        sentences.append(STALE)
    return context.cell(model, None, [record], sentences)


def flat(rounds: Rounds) -> list[float]:
    """Seconds of all passes."""
    return [seconds for passes in rounds for seconds in passes]


def mebibytes(count: int) -> str:
    """Bytes in MiB, whole."""
    return f"{count / 2**20:.0f}"
