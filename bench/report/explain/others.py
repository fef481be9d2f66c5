"""Trials, trainings of studies and races in words: what is kept outside the suites' records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.race.record import FOLDER as RACES
from bench.race.record import RaceRecord
from bench.report.explain.source import again, decided_by, fields, rests_on
from bench.report.text import percent
from bench.search.file import known_searches
from bench.search.record import Trial
from bench.specs import deciding
from bench.staleness import Staleness
from bench.study.file import known_studies
from bench.study.record import StudyRecord


def explain_trial(results: Path, trial: Trial) -> Iterator[str]:
    """A trial of a search; it has no test score."""
    spec = trial.spec
    yield f"{spec.label}: {trial.status} (trial {trial.id} of search {trial.search})"
    if trial.reason:
        yield f"why: {trial.reason}"
    if trial.result is not None:
        val = trial.result.val
        auc = "undefined" if val.auc_present is None else f"{percent([val.auc_present])} %"
        yield (
            f"validation: ACC {percent([val.acc])} %, AUC {auc} at epoch "
            f"{trial.result.selected_epoch} of {len(trial.result.epochs)}; no test split was opened"
        )
    yield from decided_by(spec)
    yield f"decided by: {fields(deciding(spec, without={'data', 'protocol'}))}"
    stale = Staleness.load(results).stale(spec, trial.provenance, trial=True)
    yield from rests_on(trial.provenance, stale=stale)
    yield "shown by: reports/search.md; it is no result, and enters no table of results"
    file = trial.search if trial.search in known_searches() else f"FILE.toml  # {trial.search}"
    yield from again(trial.provenance, f"python -m bench search {file}", spec.data)


def explain_study(results: Path, record: StudyRecord) -> Iterator[str]:
    """A training of a study, whose test split was scored every epoch."""
    spec = record.spec
    yield f"{spec.label}: {record.status} (training {record.id} of study {record.study})"
    if record.reason:
        yield f"why: {record.reason}"
    if record.looked_at is not None:
        epochs = record.looked_at.epochs
        chosen = epochs[record.looked_at.validation_chose - 1]
        best = max(one.test_acc for one in epochs)
        yield (
            f"test, looked at every epoch: ACC {percent([chosen.test_acc])} % where validation "
            f"chose (epoch {chosen.epoch} of {len(epochs)}), {percent([best])} % at the best"
        )
    yield from decided_by(spec)
    yield f"decided by: {fields(deciding(spec, without={'data', 'protocol'}))}"
    stale = Staleness.load(results).stale(spec, record.provenance)
    yield from rests_on(record.provenance, stale=stale)
    yield "shown by: reports/selection.md; it is no result, and enters no table of results"
    file = record.study if record.study in known_studies() else f"FILE.toml  # {record.study}"
    yield from again(record.provenance, f"python -m bench study {file}", spec.data)


def explain_race(record: RaceRecord) -> Iterator[str]:
    """A file of races, measured on one machine."""
    missed = "a floor or ceiling was missed" if record.missed else "no floor or ceiling was missed"
    yield f"races {record.name}: {missed} ({RACES}/{record.name}.json)"
    yield record.about
    for race in record.races:
        rivals = len(race.contenders) - 1
        noisy = "; noisy" if race.noisy else ""
        yield f"race: {race.spec.name}: {race.spec.subject.label} against {rivals}{noisy}"
    yield from rests_on(record.provenance, stale=record.stale)
    yield "shown by: reports/races.md; claims and `compare` read it too"
    yield from again(record.provenance, f"python -m bench race {record.name}", None)
