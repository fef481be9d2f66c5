"""A suite's page from records, made once; and one made by hand (``made.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.records.schema import Attempt, Record
from bench.records.store import Store
from bench.report.page.write import write_page
from bench.suite import Suite, load_suite
from tests._helpers.records import measure
from tests._helpers.runs_of import keep_run

LONG = "a_model_whose_name_has_sixty_characters_and_not_one_blank_in"
EVIL = "<script>alert(1)</script>"
CLASSES = ("Läsion <b>", "病变")
SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 64
threads = 2
device = "cpu"

[[grid]]
models = ["medspectralnet", "resnet18", "{long}", "{evil}"]
datasets = ["breastmnist"]
seeds = {seeds}

[model."{long}"]
timm = "resnet10t"

[model."{evil}"]
timm = "resnet14t"

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""


def make_suite(folder: Path, seeds: tuple[int, ...] = (0, 1)) -> Suite:
    path = folder / "made.toml"
    path.write_text(SUITE.format(long=LONG, evil=EVIL, seeds=[*seeds]))
    return load_suite(str(path))


def failed(record: Record) -> Record:
    attempt = Attempt(
        status="failed", reason="a fault", started_at=record.provenance.started_at, wall_s=1.0
    )
    changes = {"status": "failed", "reason": "a <b>fault</b>", "training": None}
    return record.model_copy(update=changes | {"attempts": [attempt]})


@dataclass(frozen=True)
class Made:
    """A suite of which one run failed, two are missing, one is stale and one cost is noisy."""

    suite: Suite
    store: Store
    folder: Path
    gone: Record
    stale: Record


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    suite, store = make_suite(folder), Store(folder / "results")
    for cell in suite.cells:
        if cell.model.name != EVIL:
            run = (cell.model.name, cell.dataset.name, cell.seed)
            record = keep_run(
                store, suite, *run, classes=CLASSES, notes=[f"{EVIL} said {cell.seed}"]
            )
    old = record.provenance.model_copy(update={"source_digest": "old"})
    stale = record.model_copy(update={"provenance": old})
    store.save(stale)
    gone = keep_run(store, suite, "resnet18", "breastmnist", 1)
    store.save(failed(gone))
    for model in ("medspectralnet", "resnet18"):
        cost = measure(store, suite, model)
        assert cost.cost is not None
        loud = cost.cost.model_copy(update={"noisy": model == "resnet18"})
        store.save(cost.model_copy(update={"cost": loud}))
    return Made(suite, store, folder, gone, stale)


@pytest.fixture(scope="session")
def text(made: Made) -> str:
    path = write_page(made.suite, made.store.all(), made.store, made.folder / "out")
    return path.read_text(encoding="utf-8")
