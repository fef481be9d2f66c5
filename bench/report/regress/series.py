"""From the records of revisions to series: one metric over commits, with its change points."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.regress.findings import OF_PACKAGES
from bench.regress.history import Revision
from bench.regress.micro import Micro
from bench.report.text import escape
from bench.statistics.change_points import change_points, changes

EXACT = {
    "params_total": "parameters",
    "macs": "MACs",
    "operators": "operators",
    "activation_bytes": "activation bytes",
}


@dataclass(frozen=True)
class Series:
    """One metric.

    Attributes:
        group: heading it stands under.
        lower_is_better: None where neither is.
        begins: places in ``values`` at which a new level begins.
    """

    group: str
    name: str
    commits: Sequence[str]
    values: Sequence[float]
    lower_is_better: bool
    begins: Sequence[int]

    def change(self, place: int) -> str:
        """``+1.2 % at 0123456789ab``, of the mean of a level over that of the one before it."""
        edges = [0, *self.begins, len(self.values)]
        number = edges.index(place, 1)
        before = fmean(self.values[edges[number - 1] : place])
        after = fmean(self.values[place : edges[number + 1]])
        share = f"{100 * (after / before - 1):+.2g} %" if before else f"{after - before:+.3g}"
        return f"{share} at {self.commits[place]}"


def all_series(revisions: Sequence[Revision], micro: Sequence[Micro] = ()) -> list[Series]:
    """Every metric that any record has, in the order of the gate's parts."""
    found: list[Series] = []
    models = dict.fromkeys(name for one in revisions for name in one.exact)
    for key, label in EXACT.items():
        for model, (packages, ones) in itertools.product(models, _by_packages(key, revisions)):
            found += _series(
                "Numbers without noise",
                f"{label} of {model}{packages}",
                ones,
                lambda one, key=key, model=model: (  # type: ignore[misc]
                    float(getattr(one.exact[model], key)) if model in one.exact else None
                ),
                exact=True,
            )
    for cell in dict.fromkeys(name for one in revisions for name in one.auc):
        found += _series(
            "Accuracy",
            f"AUC of {escape(cell)}",
            revisions,
            lambda one, cell=cell: fmean(one.auc[cell].values()) if one.auc.get(cell) else None,  # type: ignore[misc]
            lower=False,
        )
    for processor in dict.fromkeys(one.machine.processor for one in revisions):
        here = [one for one in revisions if one.machine.processor == processor]
        for row in dict.fromkeys(name for one in here for name in one.relative):
            found += _series(
                f"Run time over the yardstick's, on {processor}",
                row,
                here,
                lambda one, row=row: one.relative.get(row),  # type: ignore[misc]
            )
        for row in dict.fromkeys(name for one in here for name in one.processes):
            found += _series(
                f"Memory and import, on {processor}",
                row,
                here,
                lambda one, row=row: one.processes.get(row),  # type: ignore[misc]
            )
    return [*found, *_micro_series(micro)]


def _by_packages(key: str, revisions: Sequence[Revision]) -> list[tuple[str, list[Revision]]]:
    """What torch decides as well is a course of each torch: its change is no commit's."""
    groups: dict[str, list[Revision]] = {}
    for one in revisions:
        packages = ", ".join(f"{name} {version}" for name, version in one.machine.packages.items())
        groups.setdefault(packages if key in OF_PACKAGES else "", []).append(one)
    if len(groups) == 1:
        return [("", list(revisions))]
    return [(f", {packages}", ones) for packages, ones in groups.items()]


def _micro_series(micro: Sequence[Micro]) -> list[Series]:
    found = []
    for machine in dict.fromkeys(one.machine for one in micro):
        here = [one for one in micro if one.machine == machine]
        for name in dict.fromkeys(name for one in here for name in one.seconds):
            kept = [(one.commit, one.seconds[name]) for one in here if name in one.seconds]
            commits, values = [commit for commit, _ in kept], [seconds for _, seconds in kept]
            group = f"Micro level, seconds, on {machine}"
            found.append(Series(group, name, commits, values, True, change_points(values)))
    return found


def _series(
    group: str,
    name: str,
    revisions: Sequence[Revision],
    value: Callable[[Revision], float | None],
    *,
    exact: bool = False,
    lower: bool = True,
) -> list[Series]:
    known = [(one.commit[:12], value(one)) for one in revisions]
    kept = [(commit, number) for commit, number in known if number is not None]
    if not kept:
        return []
    commits, values = [commit for commit, _ in kept], [number for _, number in kept]
    begins = changes(values) if exact else change_points(values)
    return [Series(group, name, commits, values, lower, begins)]
