"""Scores of a suite's finished trainings, by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.records.schema import Record
from bench.report.collect import Collected, Variant, control_label, training_of
from bench.specs import RunSpec

Score = Literal["acc", "auc"]
SCORES: tuple[Score, ...] = ("acc", "auc")


@dataclass(frozen=True)
class Trainings:
    """A suite's trainings on one kind of device: that on which most of them were made."""

    collected: Collected

    @property
    def variant(self) -> Variant | None:
        counts: dict[Variant, int] = {}
        for (_, _, _, variant), records in self.collected.done.items():
            counts[variant] = counts.get(variant, 0) + len(records)
        return max(counts, key=lambda variant: (counts[variant], str(variant)), default=None)

    @property
    def stale(self) -> int:
        """How many of them were made by code that has changed since."""
        return sum(record.id in self.collected.stale for record in self.collected.records)

    def records(self, model: str, dataset: str, control: str) -> dict[int, Record]:
        """By seed; ``control`` as tables label it."""
        variant = self.variant
        if variant is None:
            return {}
        found = self.collected.done.get((model, dataset, control, variant), [])
        return {r.spec.seed: r for r in found if isinstance(r.spec, RunSpec)}

    def scores(self, model: str, dataset: str, control: str, score: Score) -> dict[int, float]:
        """Test scores by seed, those that are undefined left out."""
        found = self.records(model, dataset, control).items()
        values = {seed: score_of(record, score) for seed, record in found}
        return {seed: value for seed, value in values.items() if value is not None}

    def wanted(self, model: str, dataset: str, control: str) -> list[int]:
        """The seeds that the suite asks for."""
        return [
            cell.seed
            for cell in self.collected.suite.cells
            if (cell.model.name, cell.dataset.name, control_label(cell))
            == (model, dataset, control)
        ]


def score_of(record: Record, score: Score) -> float | None:
    """A test score of a finished training."""
    test = training_of(record).test
    return test.acc if score == "acc" else test.auc


def lacking(seeds: Sequence[int], *scores: dict[int, float]) -> list[int]:
    """The seeds that one of the sets of scores lacks."""
    return [seed for seed in seeds if any(seed not in own for own in scores)]
