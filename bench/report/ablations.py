"""What each part is worth: the ablated network against the full one, seed by seed."""

from __future__ import annotations

import runpy
import statistics
from collections.abc import Callable
from pathlib import Path

from bench.records.schema import Record
from bench.report.accuracy import params_as_trained
from bench.report.collect import Collected, Variant, training_of
from bench.report.context import Context
from bench.report.intervals import interval_points
from bench.report.shown import SPREAD, what_is_shown
from bench.report.table.model import Cell, Table, columns_of
from bench.report.text import BLANK, percent, points
from bench.specs import RunSpec
from bench.statistics.verdict import Verdict, over_family, verdict_over_seeds
from bench.suite_file import NO_CONTROL
from bench.toml_file import ROOT

FULL = "medspectralnet"
METRICS = ("ACC", "AUC")
Score = Callable[[Record], float | None]
Judged = dict[tuple[str, str, str], Verdict]
"""By ablation, data set and metric."""


def ablation_removes(path: Path = ROOT / "ablations" / "table.py") -> dict[str, str]:
    """Each ablation's name and what it removes, as ``ablations/table.py`` states it.

    The file is run by its path: importing the package would register models, and import torch.
    """
    table = runpy.run_path(str(path))["ABLATIONS"]
    return {name: str(entry.removes) for name, entry in table.items()}


def ablation_table(context: Context) -> Table:
    """The full network first, then each ablation of the suite: difference on paired seeds."""
    collected = context.collected
    entries = ablation_removes()
    names = [model.name for model in collected.suite.models if model.name in entries]
    rows = []
    if names and FULL in {model.name for model in collected.suite.models}:
        for variant in collected.variants:
            judged = _judged(collected, names, variant)
            for name in [FULL, *names]:
                removes = entries.get(name, "nothing (the full network)")
                rows.append(_row(context, name, removes, variant, judged))
    datasets = [dataset.name for dataset in collected.suite.datasets]
    groups = {key: name for row in rows for key in row for name in datasets if _of(key, name)}
    columns = columns_of(
        rows[::-1],  # the full network has no difference to itself
        words=["model", "what is removed", "device", *(k for k in groups if "verdict" in k)],
        groups=groups,
    )
    empty = "This suite has no ablations of `medspectralnet`."
    if names and not collected.variants:
        empty = (
            f"No run is finished: `python -m bench run {collected.suite.reference}` trains them."
        )
    read = f"{what_is_shown(collected, SPREAD)}\n\n{_READ}"
    return context.table("ablations", "Ablations", columns, rows, read=read, empty=empty)


def _of(key: str, dataset: str) -> bool:
    return key in {f"{dataset} {label}" for label in _LABELS}


def _row(
    context: Context, name: str, removes: str, variant: Variant, judged: Judged
) -> dict[str, Cell]:
    collected = context.collected
    runs = {
        dataset.name: collected.done.get((name, dataset.name, NO_CONTROL, variant), [])
        for dataset in collected.suite.datasets
    }
    every = [record for records in runs.values() for record in records]
    row = {"model": context.model(name, every), "what is removed": Cell(removes)}
    if len(collected.variants) > 1:
        row["device"] = Cell(str(variant))
    row["params (M)"] = params_as_trained(context, name, variant) or Cell(BLANK, state="missing")
    for dataset, records in runs.items():
        values = [_acc(record) for record in records]
        mean = 100 * statistics.fmean(values) if values else None
        row[f"{dataset} ACC (%)"] = context.cell(percent(values), mean, records)
        if name != FULL:
            full = collected.done.get((FULL, dataset, NO_CONTROL, variant), [])
            row |= _differences(context, name, dataset, records, full, judged)
    return row


def _differences(
    context: Context,
    name: str,
    dataset: str,
    records: list[Record],
    full: list[Record],
    judged: Judged,
) -> dict[str, Cell]:
    mine, theirs = _by_seed(records), _by_seed(full)
    paired = sorted(mine.keys() & theirs.keys())
    pair = [run for seed in paired for run in (mine[seed], theirs[seed])]
    found = {metric: judged[name, dataset, metric] for metric in METRICS}
    row = {}
    for metric, verdict in found.items():
        estimate = verdict.difference
        if estimate.value is None or verdict.pairs < len(paired):  # an AUC may be undefined
            row[f"{dataset} Δ{metric} (points)"] = context.cell(BLANK, None, pair)
            continue
        why = estimate.blank
        text = points([estimate.value]) if why else interval_points(estimate)
        notes = [f"{why[0].upper()}{why[1:]}."] if why else []
        cell = context.cell(text, 100 * estimate.value, pair, notes)
        row[f"{dataset} Δ{metric} (points)"] = cell
    seeds = context.cell(str(len(paired)) if paired else BLANK, len(paired), pair)
    row[f"{dataset} paired seeds"] = seeds
    words = [BLANK if v.difference.value is None else v.word for v in found.values()]
    word = BLANK if words == [BLANK, BLANK] else " / ".join(words)
    return row | {f"{dataset} verdict ACC / AUC": context.cell(word, None, pair)}


def _judged(collected: Collected, names: list[str], variant: Variant) -> Judged:
    """Every ablation on every data set; all of them are one family a metric."""
    cells = [(name, dataset.name) for name in names for dataset in collected.suite.datasets]
    region = collected.suite.settings.statistics.region
    found: Judged = {}
    for metric, value in zip(METRICS, (_acc, _auc), strict=True):
        bare = []
        for name, dataset in cells:
            mine, full = (
                _scores(collected.done.get((model, dataset, NO_CONTROL, variant), []), value)
                for model in (name, FULL)
            )
            paired = mine.keys() & full.keys()
            mine = {seed: score for seed, score in mine.items() if seed in paired}
            bare.append(verdict_over_seeds(mine, full, region=region, advise=False))
        family = over_family(bare, advise=False)
        found |= {(*cell, metric): one for cell, one in zip(cells, family, strict=True)}
    return found


def _scores(records: list[Record], value: Score) -> dict[int, float]:
    found = {seed: value(record) for seed, record in _by_seed(records).items()}
    return {seed: score for seed, score in found.items() if score is not None}


def _by_seed(records: list[Record]) -> dict[int, Record]:
    return {record.spec.seed: record for record in records if isinstance(record.spec, RunSpec)}


def _acc(record: Record) -> float:
    return training_of(record).test.acc


def _auc(record: Record) -> float | None:
    return training_of(record).test.auc


_LABELS = (
    "ACC (%)",
    *(f"Δ{metric} (points)" for metric in METRICS),
    "paired seeds",
    "verdict ACC / AUC",
)
_READ = (
    "Δ is the ablated network minus the full one, paired by seed: same images, same order; in "
    "brackets its 95 % t interval over seeds. A single seed shows no spread and decides nothing. "
    "The verdict is of the ablated network against the full one, over seeds: better, worse, "
    "equivalent (within the suite's region) or undecided; all ablations on all data sets are one "
    "family for ACC and one for AUC, each corrected by Holm."
)
