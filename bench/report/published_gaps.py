"""How far published models lie apart on a data set: the gaps that readers are asked to believe."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.report.published import Published

PrintedScore = Literal["acc", "auc"]


@dataclass(frozen=True)
class Gaps:
    """Absolute differences of what was printed for two models at one image size, as fractions.

    Attributes:
        models: how many models have a number.
        pairs: of every two models printed at the same size.
        neighbours: of those next to each other in the order of their scores, size by size.
    """

    models: int
    pairs: tuple[float, ...]
    neighbours: tuple[float, ...]

    @property
    def median_pair(self) -> float | None:
        return statistics.median(self.pairs) if self.pairs else None

    @property
    def median_neighbour(self) -> float | None:
        return statistics.median(self.neighbours) if self.neighbours else None

    def share_within(self, distance: float) -> float | None:
        """The share of pairs that lie no further apart; None where there is no pair."""
        if not self.pairs:
            return None
        return sum(gap <= distance + 1e-12 for gap in self.pairs) / len(self.pairs)


def gaps_between(rows: Sequence[Published], dataset: str, score: PrintedScore) -> Gaps:
    """The gaps on one data set; of a model printed twice at a size the first-hand row counts."""
    printed = {
        (row.image_size, row.model): float(getattr(row, score))
        for row in _once(rows, dataset, score)
    }
    pairs: list[float] = []
    neighbours: list[float] = []
    for size in dict.fromkeys(size for size, _ in printed):
        values = sorted(value for (own, _), value in printed.items() if own == size)
        pairs += [b - a for a, b in itertools.combinations(values, 2)]
        neighbours += [b - a for a, b in itertools.pairwise(values)]
    return Gaps(len({model for _, model in printed}), tuple(pairs), tuple(neighbours))


def best_of(
    rows: Sequence[Published], dataset: str, source: str, models: Sequence[str]
) -> Published | None:
    """The row with the highest accuracy of a source's own models on a data set.

    Args:
        source: the beginning of the rows' ``source``.
        models: beginnings of the models' names; none: every model of the source.
    """
    fitting = [
        row
        for row in _once(rows, dataset, "acc")
        if row.source.startswith(source) and (not models or row.model.startswith(tuple(models)))
    ]
    return max(fitting, key=lambda row: float(row.acc), default=None)


def _once(rows: Sequence[Published], dataset: str, score: PrintedScore) -> list[Published]:
    """One row with the score for each model and size: a first-hand one, else the first as filed.

    One source may print a model's accuracy and another its AUC.
    """
    found: dict[tuple[str, str], Published] = {}
    for row in sorted(rows, key=lambda row: row.second_hand):
        if row.dataset == dataset and getattr(row, score):
            found.setdefault((row.image_size, row.model), row)
    return list(found.values())
