"""What records keep of two models beside ACC and AUC: classes, controls, scores without copies."""

from __future__ import annotations

from collections.abc import Mapping

from bench.records.schema import Record, Scores
from bench.report.audits import Audits
from bench.report.collect import Collected, Variant, training_of
from bench.report.compare.trainings import Beside, beside
from bench.specs import RunSpec
from bench.suite_file import NO_CONTROL


def by_class(pair: Collected, variant: Variant, names: tuple[str, str]) -> list[Beside]:
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


def under_controls(pair: Collected, variant: Variant, names: tuple[str, str]) -> list[Beside]:
    """Accuracy where both were trained with a cue taken away."""
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


def without_copies(
    pair: Collected, variant: Variant, names: tuple[str, str], audits: Audits
) -> list[Beside]:
    """Over the test images that have no copy in train or val."""
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


def _of(
    pair: Collected, variant: Variant, model: str, dataset: str, control: str = NO_CONTROL
) -> dict[int, Record]:
    return {
        record.spec.seed: record
        for record in pair.done.get((model, dataset, control, variant), [])
        if isinstance(record.spec, RunSpec)
    }
