"""How long runs will take, from records of runs that were done."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from bench.details import Detail
from bench.records.schema import Record
from bench.specs import RunSpec
from bench.training.length import passes_per_epoch


@dataclass(frozen=True)
class _Pace:
    """What one finished run took."""

    model: str
    image_size: int
    device: str
    seconds_per_pass: float  # an image pass: one training image in one epoch, all else shared out

    def at(self, image_size: int) -> float:
        """Seconds a pass would take at another size, time taken as proportional to pixels."""
        return self.seconds_per_pass * (image_size / self.image_size) ** 2


class Estimator:
    """Expected wall times; the more alike an earlier run, the sooner it is asked."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._paces: list[_Pace] = []
        for record in records:
            self.learn(record)

    def learn(self, record: Record) -> None:
        """Take in one finished training."""
        spec, result = record.spec, record.training
        if not isinstance(spec, RunSpec) or result is None or record.status != "done":
            return
        seconds = record.provenance.wall_s / _passes(spec, result.data.images["train"])
        self._paces.append(_Pace(spec.model.name, spec.image_size, spec.device, seconds))

    def seconds(self, spec: RunSpec, train_images: int) -> float | None:
        """Expected wall time of a run; None where nothing ever ran on that kind of device.

        Asked in turn: this model at this size, any model at this size, this model at any size,
        any model at any size.
        """
        here = [pace for pace in self._paces if pace.device == spec.device]
        same_size = [pace for pace in here if pace.image_size == spec.image_size]
        own_first = (_of(spec.model.name, same_size), same_size, _of(spec.model.name, here), here)
        paces = next(filter(None, own_first), [])
        if not paces:
            return None
        return statistics.median(pace.at(spec.image_size) for pace in paces) * _passes(
            spec, train_images
        )


def _passes(spec: RunSpec, train_images: int) -> int:
    epochs = spec.protocol.epochs
    return epochs * passes_per_epoch(spec.protocol, train_images) * train_images


def _of(model: str, paces: list[_Pace]) -> list[_Pace]:
    return [pace for pace in paces if pace.model == model]


def shared_out(under_way: Iterable[float], waiting: Iterable[float], workers: int) -> float:
    """Seconds until the last run ends, if each that waits goes to whichever worker is free first.

    Args:
        under_way: seconds that are left of each run a worker is doing.
        waiting: seconds that each other run will take, in the order in which they are taken.
    """
    busy = list(under_way)
    ends = busy + [0.0] * (workers - len(busy))
    heapq.heapify(ends)
    for seconds in waiting:
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


def wall_by_detail(records: Iterable[Record]) -> dict[str, float]:
    """Median wall time of the cells of full measurements that were done, by their kind."""
    found: dict[str, list[float]] = {}
    for record in records:
        if isinstance(record.spec, Detail) and record.status == "done":
            found.setdefault(record.spec.detail, []).append(record.provenance.wall_s)
    return {kind: statistics.median(times) for kind, times in found.items()}
