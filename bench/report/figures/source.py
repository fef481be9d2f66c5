"""What figures are drawn from: a suite's records by cell, and the predictions kept beside them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.scores import probabilities
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.ablations import FULL, ablation_removes
from bench.report.collect import Collected, Variant, training_of
from bench.report.figures.style import ABLATION, RIVAL, SUBJECT, Role
from bench.specs import RunSpec, Task
from bench.statistics.decisions import Floats, Ints
from bench.suite_file import NO_CONTROL

_TEST = ("test_logits", "test_labels")
_SPLITS = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class Entry:
    """One model as figures show it; trained in two ways, it is two entries."""

    number: int  # from 1, the same in every figure of the suite
    model: str
    label: str
    role: Role
    variant: Variant


@dataclass
class Source:
    """A suite's records, and its predictions, read when they are needed."""

    collected: Collected
    store: Store
    _predictions: dict[str, dict[str, NDArray[np.generic]]] = field(default_factory=dict)
    _contents: dict[str, str] = field(default_factory=dict)

    @cached_property
    def entries(self) -> list[Entry]:
        """Every model of the suite that is trained, in the suite's order."""
        collected = self.collected
        variants = collected.variants or [Variant("cpu", "float32")]
        pairs = [(model.name, variant) for model in collected.suite.models for variant in variants]
        return [
            Entry(number, model, _label(model, variant, len(variants)), self.role(model), variant)
            for number, (model, variant) in enumerate(pairs, start=1)
        ]

    @cached_property
    def removes(self) -> dict[str, str]:
        """What each ablation removes."""
        return ablation_removes()

    def role(self, model: str) -> Role:
        """What a model is here."""
        if model == (self.collected.suite.settings.subject or FULL):
            return SUBJECT
        return ABLATION if model in self.removes else RIVAL

    def runs(self, entry: Entry, dataset: str) -> list[Record]:
        """Finished trainings without an input control, in order of seed."""
        found = self.collected.done.get((entry.model, dataset, NO_CONTROL, entry.variant), [])
        return sorted(found, key=seed_of)

    def trained(self, dataset: str) -> list[tuple[Entry, list[Record]]]:
        """The entries that have finished trainings on a data set, with these."""
        found = ((entry, self.runs(entry, dataset)) for entry in self.entries)
        return [(entry, runs) for entry, runs in found if runs]

    def predicted(self, record: Record) -> tuple[Floats, Ints]:
        """Probabilities ``(N, C)`` and labels ``(N,)`` or ``(N, C)`` of the test split.

        Raises:
            InputError: the file of predictions cannot be read.
        """
        if record.id not in self._predictions:
            kept = self.store.load_predictions(record.id)  # as stored, which is small
            self._predictions[record.id] = {name: kept[name] for name in _TEST}
        logits, labels = (self._predictions[record.id][name] for name in _TEST)
        return probabilities(logits.astype(np.float64), task_of(record)), labels.astype(np.int64)

    def content_of(self, record: Record) -> str:
        """A hash over all that a record says, and the content of its predictions as it is now."""
        if record.id not in self._contents:
            digest = hashlib.sha256(record.model_dump_json().encode())
            if record.training is not None:
                with contextlib.suppress(OSError):
                    digest.update(self.store.predictions_path(record.id).read_bytes())
            self._contents[record.id] = digest.hexdigest()
        return self._contents[record.id]

    @property
    def run_command(self) -> str:
        """What trains what is missing."""
        return f"python -m bench run {self.collected.suite.reference}"


def _label(model: str, variant: Variant, variants: int) -> str:
    name = " ".join(model.split())
    return name if variants < 2 else f"{name} ({variant})"


def seed_of(record: Record) -> int:
    """The seed of a training."""
    assert isinstance(record.spec, RunSpec)
    return record.spec.seed


def task_of(record: Record) -> Task:
    """What kind of labels its data set has."""
    return cast(Task, training_of(record).data.task)


def with_images(dataset: str, record: Record, *splits: str) -> str:
    """``breastmnist (546 training and 78 validation images)``."""
    seen = training_of(record).data.images
    counts = " and ".join(f"{seen[split]:,} {_SPLITS[split]}" for split in splits)
    return f"{dataset} ({counts} images)"


def classes_of(runs: Iterable[Record]) -> list[str]:
    """The names of the classes, of trainings on one data set."""
    return next(training_of(record).data.class_names for record in runs)


def seeds_told(groups: Iterable[list[Record]]) -> str:
    """``3 seeds``, ``1 to 3 seeds``: how many trainings each of several models has."""
    counts = sorted({len(runs) for runs in groups})
    if len(counts) == 1:
        return "1 seed" if counts[0] == 1 else f"{counts[0]} seeds"
    return f"{counts[0]} to {counts[-1]} seeds"
