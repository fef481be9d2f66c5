"""All that bears on which of two models is better, gathered from records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bench.plan import present_checksums
from bench.records.audit import load_all
from bench.records.schema import Record, Scores
from bench.records.store import Store
from bench.report.audits import Audits, audits_for
from bench.report.collect import Collected, Variant, collect, training_of
from bench.report.compare.cost import (
    Measured,
    Memory,
    Speed,
    machine,
    measured,
    memories,
    raced,
    settings_of,
)
from bench.report.compare.family import Family, judge_pair
from bench.report.compare.holding import check_holds, holding, only_models, stand_ins
from bench.report.compare.names import Kept, train_command
from bench.report.compare.trainings import (
    Beside,
    SameSeed,
    Scored,
    beside,
    calibrated,
    same_seeds,
    scored,
)
from bench.report.compare.tuning import Tuned, tries, tuned_alike
from bench.report.published import Published, published_of, read_published
from bench.report.tables import check_predictions
from bench.report.verdicts.comparisons import METRICS, BySeed, Metric, by_cell
from bench.report.verdicts.runs import look_at
from bench.report.verdicts.stored import stored_runs
from bench.specs import RunSpec
from bench.staleness import Staleness
from bench.statistics.bootstrap import DRAWS
from bench.suite import Suite, run_spec
from bench.suite_file import NO_CONTROL


@dataclass(frozen=True)
class Runs:
    """What became of one model's runs of a suite, on whatever device.

    Attributes:
        failed: those that ended without a result, with what is known; among the missing.
        shown: how many have a result that stands in the tables; ``stale`` of them are.
        wall_s: what each shown run took, by machine; nobody kept these machines free meanwhile.
    """

    model: str
    asked: int
    shown: int
    stale: int
    failed: list[str]
    missing: int
    command: str | None
    wall_s: dict[str, list[float]]
    notes: list[str]


@dataclass(frozen=True)
class Trained:
    """Both models under one protocol, size, device and precision; of one suite.

    Attributes:
        families: what the verdicts are corrected over, by metric.
        controls: accuracy under the suite's input controls, named in ``what``.
        without_copies: scores over the test images without a copy in train or val, by an audit.
        synthetic: the data sets that are phantoms.
        ids: of the runs of both.
    """

    suite: str
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


def gather(kept: Kept, store: Store, names: tuple[str, str], only: Suite | None) -> Evidence:
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
        found = _trained(suite, kept.records, store, names, known)
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


def _trained(
    suite: Suite, records: list[Record], store: Store, names: tuple[str, str], known: Staleness
) -> list[Trained]:
    """One for each kind of device and precision under which both models have a run."""
    checksums = present_checksums(suite)
    every = collect(suite, records, checksums, known)
    pair = collect(only_models(suite, names), records, checksums, known)
    check_predictions(pair, store)
    audits = audits_for(pair, load_all(store.root), store)
    found = []
    for variant, runs in stored_runs(pair, store).items():
        if {run.model for run in runs} == set(names):
            findings = by_cell([look_at(run, DRAWS) for run in runs])
            found.append(_under(every, pair, variant, findings, records, names, audits))
    return found


def _under(
    every: Collected,
    pair: Collected,
    variant: Variant,
    found: Mapping[tuple[str, str], BySeed],
    records: list[Record],
    names: tuple[str, str],
    audits: Audits,
) -> Trained:
    suite, settings = every.suite, every.suite.settings
    families = {metric: judge_pair(every, variant, names, metric) for metric in METRICS}
    verdicts = {metric: family.verdicts for metric, family in families.items()}
    part = Trained(
        suite=suite.name,
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
        classes=_classes(pair, variant, names),
        controls=_controls(pair, variant, names),
        without_copies=_without_copies(pair, variant, names, audits),
        runs=(_runs(pair, records, names[0]), _runs(pair, records, names[1])),
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


def _of(
    pair: Collected, variant: Variant, model: str, dataset: str, control: str = NO_CONTROL
) -> dict[int, Record]:
    return {
        record.spec.seed: record
        for record in pair.done.get((model, dataset, control, variant), [])
        if isinstance(record.spec, RunSpec)
    }


def _classes(pair: Collected, variant: Variant, names: tuple[str, str]) -> list[Beside]:
    """Recall and AUC of each class, as the records keep them; of two classes the AUC is one."""
    found = []
    for dataset in pair.suite.datasets:
        runs = [_of(pair, variant, name, dataset.name) for name in names]
        if not all(runs):
            continue
        classes = training_of(next(iter(runs[0].values()))).test.per_class
        for place, one in enumerate(classes):
            for what in ("recall", "auc") if len(classes) != 2 else ("recall",):
                values = [
                    {
                        seed: value
                        for seed, record in by_seed.items()
                        if (value := getattr(training_of(record).test.per_class[place], what))
                        is not None
                    }
                    for by_seed in runs
                ]
                shown = f"{'AUC' if what == 'auc' else what} of “{one.name}”"
                found.append(beside(dataset.name, shown, *values))
    return found


def _controls(pair: Collected, variant: Variant, names: tuple[str, str]) -> list[Beside]:
    found = []
    for dataset in pair.suite.datasets:
        for control in pair.controls:
            first, second = (
                {
                    seed: training_of(record).test.acc
                    for seed, record in _of(pair, variant, name, dataset.name, control).items()
                }
                for name in names
            )
            if control != NO_CONTROL and first and second:
                found.append(beside(dataset.name, f"ACC under {control}", first, second))
    return found


def _without_copies(
    pair: Collected, variant: Variant, names: tuple[str, str], audits: Audits
) -> list[Beside]:
    found = []
    for dataset in pair.suite.datasets:
        runs = [_of(pair, variant, name, dataset.name) for name in names]
        scores = [
            {seed: audits.without[r.id] for seed, r in own.items() if r.id in audits.without}
            for own in runs
        ]
        if all(scores):
            images = len(audits.by_name[dataset.name].contaminated_test.images)
            copies = f"{images} test {'copy' if images == 1 else 'copies'}"
            accs = ({seed: one.acc for seed, one in own.items()} for own in scores)
            found.append(beside(dataset.name, f"ACC without {copies}", *accs))
            found.append(beside(dataset.name, f"AUC without {copies}", *map(_aucs, scores)))
    return found


def _aucs(scores: Mapping[int, Scores]) -> dict[int, float]:
    return {seed: one.auc for seed, one in scores.items() if one.auc is not None}


def _runs(pair: Collected, records: list[Record], model: str) -> Runs:
    suite = pair.suite
    own = [record for key, r in pair.done.items() if key[0] == model for record in r]
    wall: dict[str, list[float]] = {}
    for record in own:
        made = record.provenance
        wall.setdefault(machine(made.device_name, made.threads), []).append(made.wall_s)
    open_cells = [(cell, why) for cell, why in pair.problems if cell.model.name == model]
    failed = [f"{run_spec(suite, cell).label}: {why}" for cell, why in open_cells if ":" in why]
    notes = [note for record in own for note in _notes(record)]
    return Runs(
        model=model,
        asked=sum(cell.model.name == model for cell in suite.cells),
        shown=len(own),
        stale=sum(record.id in pair.stale for record in own),
        failed=failed,
        missing=len(open_cells) - len(failed),
        command=train_command(suite, model) if open_cells else None,
        wall_s=wall,
        notes=[f"{note} ({count} of {len(own)} runs)" for note, count in Counter(notes).items()],
    )


def _notes(record: Record) -> list[str]:
    result = training_of(record)
    left_out = result.omitted_arguments | result.omitted_augmentations
    return [*(f"{name} is not used: {why}" for name, why in left_out.items()), *result.notes]


def _synthetic(pair: Collected) -> set[str]:
    return {
        record.spec.data.name
        for record in pair.records
        if isinstance(record.spec, RunSpec) and training_of(record).data.synthetic
    }
