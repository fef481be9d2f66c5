"""How long runs will take, from records of runs that were done."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from bench.records.schema import Record
from bench.specs import RunSpec


class Estimator:
    """Seconds per image pass by model, image size and device, from earlier records."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._rates: dict[tuple[str, int, str], list[float]] = {}
        for record in records:
            self.learn(record)

    def learn(self, record: Record) -> None:
        """Take in one finished training."""
        spec, result = record.spec, record.training
        if not isinstance(spec, RunSpec) or result is None or record.status != "done":
            return
        passes = spec.protocol.epochs * result.data.images["train"]
        key = (spec.model.name, spec.image_size, spec.device)
        self._rates.setdefault(key, []).append(record.provenance.wall_s / passes)

    def seconds(self, spec: RunSpec, train_images: int) -> float | None:
        """Expected wall time of a run; other models' pace at that size stands in for a new one.

        None where nothing was ever run at that size on that kind of device.
        """
        passes = spec.protocol.epochs * train_images
        own = self._rates.get((spec.model.name, spec.image_size, spec.device))
        alike = own or [
            rate
            for (_, size, device), rates in self._rates.items()
            if (size, device) == (spec.image_size, spec.device)
            for rate in rates
        ]
        return statistics.median(alike) * passes if alike else None
