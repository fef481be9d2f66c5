"""Cells of a suite without a finished training; what lacks for one reason stands together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.report.collect import Collected, control_label
from bench.suite import Cell
from bench.suite_file import NO_CONTROL


@dataclass(frozen=True)
class MissingRuns:
    """One model's cells that lack for one reason.

    Attributes:
        what: ``resnet18 on breastmnist, seeds 0, 1``.
        chosen: what ``--only`` takes for exactly these.
    """

    what: str
    why: str
    chosen: Sequence[str]
    cells: Sequence[Cell]


def missing_runs(collected: Collected) -> list[MissingRuns]:
    """Every such cell, in the suite's order of the first of each group."""
    of: dict[tuple[str, str, str, str], list[Cell]] = defaultdict(list)
    for cell, why in collected.problems:
        of[cell.model.name, control_label(cell), why, cell.dataset.name].append(cell)
    together: dict[tuple[str, str, str, tuple[int, ...]], list[Cell]] = defaultdict(list)
    for (model, control, why, _), cells in of.items():
        together[model, control, why, tuple(cell.seed for cell in cells)] += cells
    found = []
    for (model, control, why, seeds), cells in together.items():
        datasets = list(dict.fromkeys(cell.dataset.name for cell in cells))
        under = "" if control == NO_CONTROL else f" under {control}"
        told = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
        chosen = [f"model={model}", *(f"dataset={name}" for name in datasets)]
        chosen += [f"seed={seed}" for seed in seeds] + [f"control={control}"]
        what = f"{model} on {', '.join(datasets)}{under}, {told}"
        found.append(MissingRuns(what, why, chosen, cells))
    return found
