"""The page of the study of selection: what choosing on test, or not at all, adds to a score."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from bench.provenance import study_digest
from bench.records.store import write_atomic
from bench.report.accuracy import Row
from bench.report.folder import reports_folder
from bench.report.intervals import interval_points
from bench.report.published import Published, read_published
from bench.report.published_gaps import best_of, gaps_between
from bench.report.table.markdown import markdown
from bench.report.text import BLANK, published_percent
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.over_seeds import difference_over_seeds
from bench.study.file import STUDIES, Study, known_studies, load_study, study_id
from bench.study.record import LookedAt, StudyRecord, StudyResult, load_all

PAGE = "selection.md"
Score = Literal["acc", "auc"]
SCORES: tuple[Score, ...] = ("acc", "auc")
Choice = Callable[[StudyResult], LookedAt]

_READ = (
    "Ordinary trainings, bit for bit those of a suite with the same settings, whose test split was "
    "scored after **every** epoch. Nothing here is a result: these scores stand in no other page. "
    "*Optimism* is the test score of the epoch chosen otherwise minus that of the epoch that "
    "validation chose, in points, paired by seed; intervals are Student's, 95 %, over seeds, and "
    "speak of these test images alone. A score chosen by itself can only gain, so an interval that "
    "reaches below 0 there says that the seeds are few."
)


def _best(epochs: Sequence[LookedAt], score: Callable[[LookedAt], float | None]) -> LookedAt:
    """The highest; of equals the earliest, as a script that keeps the best would have it."""
    values = [-1.0 if score(one) is None else float(score(one) or 0.0) for one in epochs]
    return epochs[values.index(max(values))]


def by_validation(result: StudyResult) -> LookedAt:
    """The epoch of an honest run."""
    return result.epochs[result.validation_chose - 1]


CHOICES: dict[str, Choice] = {
    "best test AUC": lambda result: _best(result.epochs, lambda one: one.test_auc),
    "best test ACC": lambda result: _best(result.epochs, lambda one: one.test_acc),
    "last epoch": lambda result: result.epochs[-1],
}


def test_score(one: LookedAt, score: Score) -> float | None:
    """The test score of one epoch."""
    return one.test_acc if score == "acc" else one.test_auc


def optimism(
    done: Sequence[StudyRecord], models: Sequence[str], dataset: str, choice: str, score: Score
) -> IntervalEstimate:
    """Chosen so minus chosen on validation: mean over the models, t interval over seeds.

    A seed counts where every one of the models has it and the score is defined.
    """
    gaps: dict[int, list[float]] = {}
    for record in done:
        result, spec = record.looked_at, record.spec
        if result is None or spec.model.name not in models or spec.data.name != dataset:
            continue
        chosen = test_score(CHOICES[choice](result), score)
        honest = test_score(by_validation(result), score)
        if chosen is not None and honest is not None:
            gaps.setdefault(spec.seed, []).append(chosen - honest)
    means = {seed: statistics.fmean(v) for seed, v in gaps.items() if len(v) == len(models)}
    if not means:
        return IntervalEstimate(None, None, None, "seeds", "no seed has every model's score")
    return difference_over_seeds(means, dict.fromkeys(means, 0.0)).estimate


def write_selection_page(results: Path, study: Study | None = None) -> Path:
    """Draw the project's studies as ``reports/selection.md``; returns its path.

    Args:
        study: one that is not the project's is drawn instead, as ``selection-NAME.md``.

    Raises:
        InputError: a record, a study or the published numbers cannot be read.
    """
    records, path = load_all(results), reports_folder(results) / PAGE
    if study is None or study.path.resolve().parent == STUDIES.resolve():
        text = selection_document(records)
    else:
        path = path.with_name(f"{path.stem}-{study.name}{path.suffix}")
        text = selection_page([study], records, read_published())
    write_atomic(path, text.encode())
    return path


def selection_document(records: Mapping[str, StudyRecord]) -> str:
    """The page of the project's own studies.

    Raises:
        InputError: as :func:`write_selection_page`.
    """
    return selection_page([load_study(name) for name in known_studies()], records, read_published())


def selection_page(
    studies: Sequence[Study], records: Mapping[str, StudyRecord], published: Sequence[Published]
) -> str:
    """The page as Markdown; the same records and published numbers give the same text."""
    parts = ["# Choosing on the test split", _READ]
    for study in studies:
        parts += _section(study, records, published)
    return "\n\n".join(parts) + "\n"


def _section(
    study: Study, records: Mapping[str, StudyRecord], published: Sequence[Published]
) -> list[str]:
    file = study.file
    checksums = {
        r.spec.data.name: r.spec.data.checksum
        for r in records.values()
        if r.spec.data.source_size == file.source_size
    }
    found = [records[i] for s in study.specs(checksums) if (i := study_id(s)) in records]
    done = [record for record in found if record.status == "done"]
    stale = sum(r.provenance.source_digest != study_digest(r.spec) for r in done)
    told = [
        f"{file.about} Models: {', '.join(file.models)}; {file.source_size} px source fed at "
        f"{file.image_size} px; protocol `{file.protocol}` (chooses on validation "
        f"{study.protocol.select}); seeds {', '.join(map(str, file.seeds))}; {file.threads} "
        f"thread(s) on a CPU. {len(done)} of {study.size} trainings are done."
    ]
    told += [f"{stale} of them were made by code that has changed since."] if stale else []
    told += [f"Failed: {r.spec.label}: {r.reason}." for r in found if r.status != "done"]
    parts = [f"## {study.name}", " ".join(told)]
    if not done:
        return [*parts, f"Nothing to show yet: `python -m bench study {study.name}`."]
    parts += ["### Optimism, mean over the models", markdown(_mean_rows(study, done))]
    if len(file.models) > 1:
        parts += ["### By model", markdown(_model_rows(study, done))]
    parts += ["### Beside published gaps", _GAPS_READ, markdown(_gap_rows(study, done, published))]
    if file.practice:
        parts += ["### Who chose how", _PRACTICE_READ, markdown(_practice_rows(study, published))]
    return parts


def _mean_rows(study: Study, done: Sequence[StudyRecord]) -> list[Row]:
    return [
        {"data set": dataset, "chosen by": choice}
        | _optimism_cells(done, study.file.models, dataset, choice)
        for dataset in study.file.datasets
        for choice in CHOICES
    ]


def _model_rows(study: Study, done: Sequence[StudyRecord]) -> list[Row]:
    rows = []
    for dataset in study.file.datasets:
        for model in study.file.models:
            here = [r for r in done if (r.spec.model.name, r.spec.data.name) == (model, dataset)]
            for choice in CHOICES:
                row = {"data set": dataset, "model": model, "chosen by": choice}
                row |= _optimism_cells(done, [model], dataset, choice)
                rows.append(row | {"epochs": _epochs(here, choice)})
    return rows


def _optimism_cells(
    done: Sequence[StudyRecord], models: Sequence[str], dataset: str, choice: str
) -> Row:
    return {
        f"Δ{score.upper()} (points)": interval_points(
            optimism(done, models, dataset, choice, score)
        )
        for score in SCORES
    }


def _epochs(records: Sequence[StudyRecord], choice: str) -> str:
    """Which epoch is chosen so, and by validation: ``15 for 18, 9 for 9``, seed by seed."""
    pairs = [
        f"{CHOICES[choice](r.looked_at).epoch} for {r.looked_at.validation_chose}"
        for r in sorted(records, key=lambda record: record.spec.seed)
        if r.looked_at is not None
    ]
    return ", ".join(pairs) or BLANK


_GAPS_READ = (
    "*Pairs* are of every two models that others printed for the data set at the same image size "
    "(`results/published.csv`), *neighbours* those next to each other in the order of their "
    "scores. *Optimism* is that of choosing by the printed score itself. *Pairs within it*: the "
    "share of pairs that lie no further apart than the mean optimism, and than the ends of its "
    "interval: if one of the two had been chosen on test and the other on validation, that alone "
    "could be the gap. The optimism is that of our networks, size and protocol, with "
    "as many epochs as the protocol has; more epochs or other networks give another one."
)


def _gap_rows(
    study: Study, done: Sequence[StudyRecord], published: Sequence[Published]
) -> list[Row]:
    rows = []
    for dataset in study.file.datasets:
        for score in SCORES:
            gaps = gaps_between(published, dataset, score)
            found = optimism(done, study.file.models, dataset, f"best test {score.upper()}", score)
            rows.append(
                {
                    "data set": dataset,
                    "score": score.upper(),
                    "published models": str(gaps.models),
                    "pairs": str(len(gaps.pairs)),
                    "median gap (points)": _points(gaps.median_pair),
                    "median gap of neighbours": _points(gaps.median_neighbour),
                    "optimism (points)": interval_points(found),
                    "pairs within it (%)": _shares(gaps.share_within, found),
                }
            )
    return rows


def _shares(within: Callable[[float], float | None], found: IntervalEstimate) -> str:
    mean = None if found.value is None else within(found.value)
    if mean is None:
        return BLANK
    if found.low is None or found.high is None:
        return f"{100 * mean:.0f}"
    low, high = within(max(0.0, found.low)), within(found.high)
    return f"{100 * mean:.0f} [{100 * (low or 0):.0f}, {100 * (high or 0):.0f}]"


def _points(value: float | None) -> str:
    return BLANK if value is None else f"{100 * value:.1f}"


_PRACTICE_READ = (
    "What the released code of others does, as read there, and the best accuracy that they print "
    "(%, with the model and size). How a printed number was really chosen only its authors know."
)


def _practice_rows(study: Study, published: Sequence[Published]) -> list[Row]:
    rows = []
    for practice in study.file.practice:
        row = {
            "published as": practice.who,
            "code chooses on": practice.chose_on,
            "what was read": practice.says,
            "where": practice.where,
        }
        for dataset in study.file.datasets:
            best = best_of(published, dataset, practice.source, practice.models)
            size = f" at {best.image_size}" if best is not None and best.image_size else ""
            row[f"best printed, {dataset}"] = (
                BLANK if best is None else f"{published_percent(best.acc)} ({best.model}{size})"
            )
        rows.append(row)
    return rows
