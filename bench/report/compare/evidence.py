"""All that bears on which of two models is better, gathered from records alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.records.store import Store
from bench.report.compare.cost import (
    Measured,
    Memory,
    Speed,
    measured,
    memories,
    raced,
    settings_of,
)
from bench.report.compare.holding import check_holds, holding, stand_ins
from bench.report.compare.names import Kept, train_command
from bench.report.compare.trained import Trained, trained_under
from bench.report.compare.tuning import Tuned, tries, tuned_alike
from bench.report.published import Published, published_of, read_published
from bench.staleness import Staleness
from bench.suite import Suite

Checksums = Callable[[Suite], Mapping[str, str]]
"""Today's checksums of a suite's data sets, where they are at hand."""


@dataclass(frozen=True)
class Evidence:
    """First against second; differences are first − second, ratios first ÷ second.

    Attributes:
        unmade: by suite of the checkout that asks for both and lacks every run of one of them: the
            command that makes them.
        settings: where each was measured, for people.
        tries: how many settings were tried with each in searches.
    """

    names: tuple[str, str]
    trained: list[Trained]
    unmade: dict[str, str]
    measured: list[Measured]
    settings: tuple[list[str], list[str]]
    races: list[Speed]
    memory: list[Memory]
    tuned: list[Tuned]
    tries: tuple[int, int]
    published: tuple[list[Published], list[Published]]


def gather(
    kept: Kept,
    store: Store,
    names: tuple[str, str],
    only: Suite | None,
    checksums: Checksums,
) -> Evidence:
    """Everything on the two, or of trainings what one suite holds.

    Raises:
        InputError: the suite does not train both, or predictions are gone or changed.
    """
    if only is not None:
        check_holds(only, names)
        suites = [only]
    else:
        suites = holding(kept.suites, names) + stand_ins(kept.records, kept.suites, names)
    known = Staleness.load(store.root)
    trained: list[Trained] = []
    unmade: dict[str, str] = {}
    for suite in suites:
        found = trained_under(suite, kept.records, store, names, known, checksums(suite))
        told = {tuple(one.ids) for one in trained}
        trained += [one for one in found if tuple(one.ids) not in told]
        if not found:
            unmade[suite.name] = train_command(suite, *names)
    trials = list(kept.trials.values())
    return Evidence(
        names=names,
        trained=trained,
        unmade=unmade,
        measured=measured(kept.records, names, known),
        settings=(settings_of(kept.records, names[0]), settings_of(kept.records, names[1])),
        races=raced(kept.races, names),
        memory=memories(kept.records, names, known),
        tuned=tuned_alike(trials, names, known),
        tries=(tries(trials, names[0]), tries(trials, names[1])),
        published=_published(kept, names, {s.dataset for one in trained for s in one.scores}),
    )


def _published(
    kept: Kept, names: tuple[str, str], datasets: set[str]
) -> tuple[list[Published], list[Published]]:
    """On the data sets that both were trained on here; where there are none, on those that others
    printed of both."""
    rows = read_published()
    every = {row.dataset for row in rows}
    first, second = (
        [row for one in sorted(kept.architectures(name)) for row in published_of(one, rows, every)]
        for name in names
    )
    wanted = datasets or {row.dataset for row in first} & {row.dataset for row in second}
    kept_rows = ([row for row in both if row.dataset in wanted] for both in (first, second))
    return next(kept_rows), next(kept_rows)
