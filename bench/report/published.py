"""What others printed: quoted as printed, with its source, in columns of its own."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Container
from dataclasses import dataclass, fields
from pathlib import Path

from bench.errors import InputError
from bench.suite import Suite
from bench.toml_file import ROOT, shown


@dataclass(frozen=True)
class Published:
    """One row of ``results/published.csv``; empty text where nothing was printed."""

    model: str
    dataset: str
    image_size: str
    acc: str
    auc: str
    params_m: str
    gmacs: str
    source: str
    where: str
    note: str

    @property
    def second_hand(self) -> bool:
        """Whether the number was read in somebody else's paper."""
        return self.note.startswith("second-hand")


def read_published(path: Path = ROOT / "results" / "published.csv") -> list[Published]:
    """Every published number.

    Raises:
        InputError: the file is missing, lacks a column, or has a number without a source.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            columns = [column.name for column in fields(Published)]
            if reader.fieldnames != columns:
                raise InputError(
                    f"columns are {reader.fieldnames}",
                    remedy=f"they must be {columns}",
                    file=shown(path),
                )
            rows = [Published(**row) for row in reader]
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})",
            remedy="restore it with git checkout",
            file=shown(path),
        ) from error
    for line, row in enumerate(rows, start=2):
        if not row.source:
            raise InputError(
                "a number without a source", remedy="name it", file=shown(path), key=f"line {line}"
            )
    return rows


def published_names(path: Path = ROOT / "baselines" / "roster.toml") -> dict[str, list[str]]:
    """For each model of the roster the names under which others print the same architecture."""
    roster = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: list(entry.get("published", [])) for name, entry in roster.items()}


def published_for(suite: Suite, rows: list[Published]) -> dict[tuple[str, str], list[Published]]:
    """The rows on each (model, data set) of the suite: first-hand ones first, then as filed.

    Rows that repeat a number another row has already (second-hand transcriptions) are left out. A
    model with arguments or a maker of its own is another network than the one that was published.
    """
    found = {}
    for model in suite.models:
        if model.args or model.factory is not None:
            continue
        theirs = published_of(model.timm or model.name, rows, {d.name for d in suite.datasets})
        for dataset in suite.datasets:
            kept = [row for row in theirs if row.dataset == dataset.name]
            if kept:
                found[model.name, dataset.name] = kept
    return found


def published_of(model: str, rows: list[Published], datasets: Container[str]) -> list[Published]:
    """The rows on one model of the roster on each of the data sets, chosen as above."""
    theirs = published_names().get(model, [])
    kept = []
    for dataset in dict.fromkeys(row.dataset for row in rows if row.dataset in datasets):
        fitting = [r for r in rows if r.model in theirs and r.dataset == dataset]
        fitting.sort(key=lambda r: (theirs.index(r.model), r.second_hand))
        distinct = {(r.model, r.image_size, r.acc, r.auc): r for r in reversed(fitting)}
        kept += [r for r in fitting if r in distinct.values() and (r.acc or r.auc)]
    return kept
