"""What tests of written sentences read: the committed tables, and the trainings behind them."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from bench.records.schema import Record
from bench.records.store import Store
from bench.specs import RunSpec
from bench.suite import load_suite

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "reports"
WORDS = " ".join((ROOT / "docs" / "results.md").read_text(encoding="utf-8").split())
SUBJECT = "medspectralnet"
SETS = ("breastmnist", "retinamnist", "pneumoniamnist")
Row = dict[str, str]


def rows(name: str, **wanted: str) -> list[Row]:
    """Of one CSV under ``reports``, those whose columns have these values."""
    with (REPORTS / name).open(encoding="utf-8", newline="") as file:
        every = list(csv.DictReader(file))
    found = [row for row in every if wanted.items() <= row.items()]
    assert found, (name, wanted)
    return found


def number(cell: str) -> float | None:
    """``82.4 ± 2.9`` → 82.4; a blank → None."""
    told = re.match(r"[-+]?[\d.]+", cell)
    return float(told[0]) if told else None


def page(name: str) -> str:
    return (REPORTS / name).read_text(encoding="utf-8")


@cache
def _records() -> list[Record]:
    """Read once for all sentences."""
    return list(Store(ROOT / "results").all())


def trained(suite: str, dataset: str, model: str = "") -> list[Record]:
    cells = [c for c in load_suite(suite).cells if c.dataset.name == dataset]
    seeds = {(c.model.name, c.seed) for c in cells if model in ("", c.model.name)}
    found = []
    for record in _records():
        if record.training is not None and record.suite is not None and record.suite.name == suite:
            assert isinstance(record.spec, RunSpec)
            name, data, *_ = record.spec.label.split(" · ")
            if data == dataset and (name, record.spec.seed) in seeds:
                found.append(record)
    assert found
    return found


def rivals() -> list[str]:
    names = [row["model"] for row in rows("cpu/accuracy.csv")]
    return [name for name in names if not name.startswith(SUBJECT)]


def intervals(suite: str, *, ablations: bool) -> list[tuple[float, float]]:
    """Of the differences subject minus other, over seeds, in points."""
    found = []
    for row in rows(f"{suite}/verdicts.csv"):
        low, high = number(row["low over seeds"]), number(row["high over seeds"])
        if row["model"].startswith(SUBJECT) == ablations and low is not None and high is not None:
            found.append((low, high))
    return found


def signs(found: list[tuple[float, float]]) -> tuple[int, int]:
    """How many lie above zero, how many below."""
    return sum(low > 0 for low, _ in found), sum(high < 0 for _, high in found)


def undecided(suite: str) -> bool:
    tested = [row for row in rows(f"{suite}/verdicts.csv") if number(row["p (Holm)"]) is not None]
    return bool(tested) and {row["verdict"] for row in tested} == {"undecided"}
