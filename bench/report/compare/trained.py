"""Two models under one suite: their runs, scores, verdicts and all that stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.records.audit import load_all
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.audits import Audits, audits_for
from bench.report.collect import Collected, Variant, collect, training_of
from bench.report.compare.family import Family, judge_pair
from bench.report.compare.holding import only_models
from bench.report.compare.kept_scores import by_class, under_controls, without_copies
from bench.report.compare.runs import Runs, runs_of
from bench.report.compare.trainings import (
    Beside,
    SameSeed,
    Scored,
    calibrated,
    same_seeds,
    scored,
)
from bench.report.tables import check_predictions
from bench.report.verdicts.comparisons import METRICS, BySeed, Metric, by_cell
from bench.report.verdicts.findings import findings_of
from bench.report.verdicts.stored import compared_records
from bench.specs import RunSpec
from bench.staleness import Staleness
from bench.suite import Suite


@dataclass(frozen=True)
class Trained:
    """Both models under one protocol, size, device and precision; of one suite.

    Attributes:
        reference: what a command is given for the suite.
        families: what the verdicts are corrected over, by metric.
        controls: accuracy under the suite's input controls, named in ``what``.
        without_copies: scores over the test images without a copy in train or val, by an audit.
        synthetic: the data sets that are phantoms.
        ids: of the runs of both.
    """

    suite: str
    reference: str
    about: str
    protocol: str
    source_size: int
    image_size: int
    variant: Variant
    region: float
    families: dict[Metric, Family]
    scores: list[Scored]
    same_seed: list[SameSeed]
    calibration: list[Beside]
    classes: list[Beside]
    controls: list[Beside]
    without_copies: list[Beside]
    runs: tuple[Runs, Runs]
    synthetic: list[str]
    left_out: list[str]
    ids: list[str]


def trained_under(
    suite: Suite,
    records: list[Record],
    store: Store,
    names: tuple[str, str],
    known: Staleness,
    checksums: Mapping[str, str],
) -> list[Trained]:
    """One for each kind of device and precision under which both models have a run."""
    every = collect(suite, records, checksums, known)
    pair = collect(only_models(suite, names), records, checksums, known)
    check_predictions(pair, store)
    audits = audits_for(pair, load_all(store.root), store)
    found = []
    for variant, kept in compared_records(pair).items():
        runs = findings_of(kept, store)
        if {run.model for run in runs} == set(names):
            findings = by_cell(runs)
            found.append(_under(every, pair, variant, findings, names, audits))
    return found


def _under(
    every: Collected,
    pair: Collected,
    variant: Variant,
    found: Mapping[tuple[str, str], BySeed],
    names: tuple[str, str],
    audits: Audits,
) -> Trained:
    suite, settings = every.suite, every.suite.settings
    families = {metric: judge_pair(every, variant, names, metric) for metric in METRICS}
    verdicts = {metric: family.verdicts for metric, family in families.items()}
    part = Trained(
        suite=suite.name,
        reference=suite.reference,
        about=settings.about,
        protocol=suite.protocol_name,
        source_size=settings.source_size,
        image_size=settings.image_size,
        variant=variant,
        region=settings.statistics.region,
        families=families,
        scores=[],
        same_seed=[],
        calibration=[],
        classes=by_class(pair, variant, names),
        controls=under_controls(pair, variant, names),
        without_copies=without_copies(pair, variant, names, audits),
        runs=(runs_of(pair, names[0]), runs_of(pair, names[1])),
        synthetic=sorted(_synthetic(pair)),
        left_out=pair.left_out,
        ids=sorted(record.id for key, r in pair.done.items() if key[3] == variant for record in r),
    )
    for dataset in suite.datasets:
        first, second = (found.get((name, dataset.name), {}) for name in names)
        if first or second:
            part.scores.extend(scored(dataset.name, first, second, verdicts))
            part.same_seed.extend(same_seeds(dataset.name, first, second))
            part.calibration.extend(calibrated(dataset.name, first, second))
    return part


def _synthetic(pair: Collected) -> set[str]:
    return {
        record.spec.data.name
        for record in pair.records
        if isinstance(record.spec, RunSpec) and training_of(record).data.synthetic
    }
