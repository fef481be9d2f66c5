"""A suite with all that makes tables hard: long and foreign names, what failed, what is missing."""

from __future__ import annotations

from pathlib import Path

from bench.records.schema import ClassScore, Record, Scores
from bench.records.store import Store
from bench.suite import Suite, load_suite
from tests._helpers.records import measure, train

LONG = "a_model_whose_name_is_as_long_as_a_name_may_be_in_a_suite_60"
UNBROKEN = "Unbrechbar" * 6
CLASSES = ["größer & „ñandú“ 100 % #1 {x}_$y^z~\\", "肺炎 Ж <script>alert(1)</script>"]
TEXT = f"""
about = "hand-made, with 100 % of _all_ & every difficulty"
protocol = "small"
source_size = 28
image_size = 64
threads = 2

[[grid]]
models = ["medspectralnet", "medspectralnet_local_stream", "resnet18", "{LONG}", "{UNBROKEN}"]
datasets = ["breastmnist", "retinamnist"]
seeds = [0, 1, 2]

[model.{LONG}]
timm = "resnet18"
args = {{ act_layer = "gelu" }}

[model.{UNBROKEN}]
factory = "tests._helpers.difficult:nothing"

[cost]
num_classes = 2
batch_size = 4
seconds_per_model = 1.0
"""
RIGHT = {"medspectralnet": 85, "medspectralnet_local_stream": 70, "resnet18": 84, LONG: 50}


def nothing() -> None:
    """Stands for one's own model; no table builds it."""


def difficult_suite(folder: Path) -> Suite:
    path = folder / "hard.toml"
    path.write_text(TEXT)
    return load_suite(str(path))


def difficult_store(folder: Path, suite: Suite) -> Store:
    """One model has one seed, one none; one run failed, one is of another protocol, one stale."""
    assert len(LONG) == len(UNBROKEN) == 60
    store = Store(folder / "results")
    for cell in suite.cells:
        name, dataset, seed = cell.model.name, cell.dataset.name, cell.seed
        if name == UNBROKEN or (name == LONG and seed):
            continue
        right = RIGHT[name] + (seed * (len(name) % 5 + len(dataset) % 3)) % 7
        record = renamed(train(store, suite, name, dataset, seed, right))
        if (name, dataset, seed) == ("resnet18", "retinamnist", 2):
            record = record.model_copy(
                update={"status": "failed", "reason": "50 % of_it {broke} & \\x", "training": None}
            )
        if (name, dataset, seed) == ("resnet18", "breastmnist", 1):
            made = record.provenance.model_copy(update={"source_digest": "old", "dirty": True})
            record = record.model_copy(update={"provenance": made})
        store.save(record)
    for model in ("medspectralnet", "resnet18", LONG):
        measure(store, suite, model)
    other = folder / "other"
    other.mkdir()
    (other / "hard.toml").write_text(TEXT.replace('"small"', '"medmnist"'))
    train(store, load_suite(str(other / "hard.toml")), "resnet18", "breastmnist", 0, 1)
    return store


def renamed(record: Record) -> Record:
    """The same with class names of the hard kind."""
    result = record.training
    assert result is not None

    def of(scores: Scores) -> Scores:
        classes = [
            ClassScore(**(one.model_dump() | {"name": name}))
            for one, name in zip(scores.per_class, CLASSES, strict=True)
        ]
        return scores.model_copy(update={"per_class": classes})

    data = result.data.model_copy(update={"class_names": CLASSES})
    changes = {"data": data, "val": of(result.val), "test": of(result.test)}
    return record.model_copy(update={"training": result.model_copy(update=changes)})
