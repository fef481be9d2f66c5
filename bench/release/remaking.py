"""A finished training made again for its weights, which no record keeps.

On a CPU the same run with the same code and packages gives the same bits, so the training is done
again by the very code that made the record. Its weights are taken only where its predictions are
the record's to the last bit: else they would not be the network whose scores are told.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bench import provenance
from bench.data.dataset import Dataset, Frozen, LockedSplit, Split
from bench.errors import InputError
from bench.records.schema import Record
from bench.records.store import Store
from bench.records.timeless import first_difference, timeless
from bench.run.experiment import train_and_score
from bench.run.options import RunOptions
from bench.run.surroundings import surroundings
from bench.specs import RunSpec
from bench.staleness import Staleness
from bench.training.loop import Progress
from bench.training.selection import Selection

UNCACHED = RunOptions(cache=False)  # what other code prepared must not be taken for today's


class _Witness(LockedSplit):
    """The lock on a test split, that keeps the finished selection by which it is opened."""

    selection: Selection | None = None

    def __init__(self, locked: LockedSplit) -> None:
        self._locked = locked
        self._length = len(locked)
        self.opened_at: datetime | None = None

    def open(self, selection: Frozen) -> Split:
        split = self._locked.open(selection)
        self.opened_at = self._locked.opened_at
        assert isinstance(selection, Selection)
        self.selection = selection
        return split


def check_remakable(record: Record, dataset: Dataset | None = None) -> None:
    """Refuse what cannot give the same bits, before anything is trained.

    Raises:
        InputError: it was made on a GPU, by other packages, or on other data.
    """
    spec = record.spec
    assert isinstance(spec, RunSpec)
    if spec.device != "cpu":
        raise _refused(record, "it was made on a GPU, where the same run may give other bits")
    if spec.model.factory is not None:
        raise _refused(record, "its model is your own function, which no file of weights names")
    here, there = provenance.packages(), record.provenance.packages
    other = {name: version for name, version in there.items() if here.get(name) != version}
    other = {name: version for name, version in other.items() if name in ("torch", "timm", "numpy")}
    if other:
        told = ", ".join(f"{name} {old}, here {here.get(name)}" for name, old in other.items())
        raise _refused(record, f"it was made by other packages ({told})")
    if dataset is not None and dataset.source.checksum != spec.data.checksum:
        raise _refused(record, f"{dataset.name} has changed since")


def make_again(
    record: Record,
    dataset: Dataset,
    staleness: Staleness,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Selection:
    """Train again, choose, predict, compare; the weights are in the selection's model.

    Raises:
        InputError: it cannot give the same bits, or does not.
        RunFailed: the training diverged.
    """
    check_remakable(record, dataset)
    spec, before = record.spec, record.training
    assert isinstance(spec, RunSpec)
    assert before is not None
    witness = _Witness(dataset.test.locked_again())
    with tempfile.TemporaryDirectory(prefix="bench-weights-") as folder, surroundings(spec):
        again = train_and_score(
            spec, replace(dataset, test=witness), Store(Path(folder)), UNCACHED, on_progress
        )
    if again.predictions_sha256 != before.predictions_sha256:
        differs = first_difference(timeless(before), timeless(again)) or "its predictions"
        stale = staleness.stale(spec, record.provenance)
        cause = "the code that decides it has changed since" if stale else "the machine is another"
        raise _refused(record, f"trained again, it gives other bits ({cause}): {differs}")
    assert witness.selection is not None
    return witness.selection


def _refused(record: Record, why: str) -> InputError:
    return InputError(
        f"the weights of {record.spec.label} cannot be had: {why}",
        remedy="make its record anew here (python -m bench run SUITE --refresh, or with "
        "BENCH_RESULTS naming an empty folder), then its weights",
        file=f"record {record.id}",
    )
