"""Looks into a suite's trained networks, as its figures take them: of the subject, seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.insight.digest import insight_digest
from bench.insight.record import InsightRecord, load_all
from bench.records.schema import Record
from bench.report.collect import training_of
from bench.report.figures.planned import Lacking, Planned, counted, rests_on
from bench.report.figures.source import Source, seed_of
from bench.report.figures.style import SUBJECT
from bench.specs import RunSpec

KEPT_OUT = "Validation images alone; no test split was opened for it."


@dataclass(frozen=True)
class Look:
    """One trained network that was looked into."""

    record: Record
    insight: InsightRecord

    @property
    def seed(self) -> int:
        return seed_of(self.record)


def looks(source: Source, dataset: str) -> list[Look]:
    """Those of the suite's subject on a data set, in order of seed.

    A look into another training of the same id (other predictions) is none.

    Raises:
        InputError: a record of a look is damaged.
    """
    known = load_all(source.store.root)
    found = []
    for entry, runs in source.trained(dataset):
        for record in runs if entry.role is SUBJECT else ():
            insight = known.get(record.id)
            wanted = training_of(record).predictions_sha256
            if insight is not None and insight.predictions_sha256 == wanted:
                found.append(Look(record, insight))
    return found


def of_every_dataset(
    source: Source, planned: Callable[[Source, str, Sequence[Look]], Planned]
) -> list[Planned | Lacking]:
    """A figure for each data set that the subject was looked into on."""
    names = [dataset.name for dataset in source.collected.suite.datasets]
    found = ((name, looks(source, name)) for name in names)
    return [planned(source, name, seen) for name, seen in found if seen]


def unseen(source: Source) -> list[Planned | Lacking]:
    """One line for all that these figures lack: the data sets without a look, and what makes it."""
    suite = source.collected.suite
    if not any(entry.role is SUBJECT for entry in source.entries):
        return []
    names = [dataset.name for dataset in suite.datasets if not looks(source, dataset.name)]
    if not names:
        return []
    asked = [*(f"dataset={name}" for name in names), *(f"seed={seed}" for seed in suite.seeds)]
    made = f"python -m bench weights {suite.reference} --only {','.join(asked)}"
    subject = [entry for entry in source.entries if entry.role is SUBJECT]
    if not all(source.runs(entry, name) for entry in subject for name in names):
        made = f"{source.run_command} && {made}"
    return [
        Lacking(
            f"Gates, frequencies, where the network looks: {', '.join(names)}",
            "no trained network was looked into",
            f"{made} && python -m bench insight {suite.reference}",
        )
    ]


def resting(source: Source, seen: Sequence[Look]) -> str:
    """The end of a caption: on what it rests, and what of it is old."""
    told = rests_on([one.record for one in seen], source.collected.stale)
    old = sum(_is_old(one) for one in seen)
    more = f" {counted(old, 'look')} of {len(seen)} was made by older code." if old else ""
    return f"{KEPT_OUT} {told}{more}"


def _is_old(look: Look) -> bool:
    spec = look.record.spec
    assert isinstance(spec, RunSpec)
    return look.insight.provenance.source_digest != insight_digest(spec.model)
