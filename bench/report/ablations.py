"""What each part is worth: the ablated network against the full one, seed by seed."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

from bench.records.schema import Record
from bench.report.accuracy import Context, Row, params_as_trained, row_marks
from bench.report.collect import Collected, Variant, training_of
from bench.report.text import BLANK, percent, points
from bench.specs import RunSpec
from bench.statistics.verdict import over_family, verdict_over_seeds
from bench.suite_file import NO_CONTROL
from bench.toml_file import ROOT

FULL = "medspectralnet"


def ablation_removes(path: Path = ROOT / "ablations" / "table.py") -> dict[str, str]:
    """Each ablation's name and what it removes, as ``ablations/table.py`` states it.

    The file is run by its path: importing the package would register models, and import torch.
    """
    table = runpy.run_path(str(path))["ABLATIONS"]
    return {name: str(entry.removes) for name, entry in table.items()}


def ablation_rows(context: Context) -> list[Row]:
    """The full network first, then each ablation of the suite: difference on paired seeds."""
    collected = context.collected
    entries = ablation_removes()
    names = [model.name for model in collected.suite.models if model.name in entries]
    if not names or FULL not in {model.name for model in collected.suite.models}:
        return []
    rows = []
    for variant in collected.variants:
        words = _words(collected, names, variant)
        for name in [FULL, *names]:
            removes = entries.get(name, "nothing (the full network)")
            shown = [
                record
                for dataset in collected.suite.datasets
                for record in collected.done.get((name, dataset.name, NO_CONTROL, variant), [])
            ]
            row = {"model": name + row_marks(context, shown), "what is removed": removes}
            if len(collected.variants) > 1:
                row["device"] = str(variant)
            row["params (M)"] = params_as_trained(collected, name, variant)
            for dataset in collected.suite.datasets:
                row |= _difference_columns(collected, name, dataset.name, variant)
                row[f"{dataset.name} verdict ACC / AUC"] = words.get((name, dataset.name), BLANK)
            rows.append(row)
    return rows


def _difference_columns(collected: Collected, name: str, dataset: str, variant: Variant) -> Row:
    runs = _by_seed(collected.done.get((name, dataset, NO_CONTROL, variant), []))
    full = _by_seed(collected.done.get((FULL, dataset, NO_CONTROL, variant), []))
    paired = sorted(runs.keys() & full.keys())
    acc = [_acc(runs[seed]) - _acc(full[seed]) for seed in paired]
    auc_pairs = [(_auc(runs[seed]), _auc(full[seed])) for seed in paired]
    auc = [mine - theirs for mine, theirs in auc_pairs if mine is not None and theirs is not None]
    is_full = name == FULL
    return {
        f"{dataset} ACC (%)": percent([_acc(record) for record in runs.values()]),
        f"{dataset} ΔACC (points)": BLANK if is_full else points(acc),
        f"{dataset} ΔAUC (points)": BLANK if is_full or len(auc) < len(acc) else points(auc),
        f"{dataset} paired seeds": BLANK if is_full else str(len(paired)),
    }


def _words(collected: Collected, names: list[str], variant: Variant) -> dict[tuple[str, str], str]:
    """``better / undecided`` of each ablation and data set; all of them are one family a metric."""
    cells = [(name, dataset.name) for name in names for dataset in collected.suite.datasets]
    words: dict[tuple[str, str], list[str]] = {cell: [] for cell in cells}
    region = collected.suite.settings.statistics.region
    for value in (_acc, _auc):
        bare = []
        for name, dataset in cells:
            mine, full = (
                _scores(collected.done.get((model, dataset, NO_CONTROL, variant), []), value)
                for model in (name, FULL)
            )
            paired = mine.keys() & full.keys()
            mine = {seed: score for seed, score in mine.items() if seed in paired}
            bare.append(verdict_over_seeds(mine, full, region=region, advise=False))
        for cell, verdict in zip(cells, over_family(bare, advise=False), strict=True):
            words[cell].append(BLANK if verdict.difference.value is None else verdict.word)
    return {cell: " / ".join(found) for cell, found in words.items() if found != [BLANK, BLANK]}


def _scores(records: list[Record], value: Callable[[Record], float | None]) -> dict[int, float]:
    found = {seed: value(record) for seed, record in _by_seed(records).items()}
    return {seed: score for seed, score in found.items() if score is not None}


def _by_seed(records: list[Record]) -> dict[int, Record]:
    return {record.spec.seed: record for record in records if isinstance(record.spec, RunSpec)}


def _acc(record: Record) -> float:
    return training_of(record).test.acc


def _auc(record: Record) -> float | None:
    return training_of(record).test.auc
