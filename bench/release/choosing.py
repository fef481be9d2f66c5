"""Which trainings' weights are made: of each data set the best on validation, or those named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import InputError
from bench.records.schema import Record, TrainingResult
from bench.release.metadata import Chosen
from bench.specs import RunSpec


@dataclass(frozen=True)
class Pick:
    """A training, why it was picked, and how its files are called (without ending)."""

    record: Record
    chosen: Chosen
    stem: str


def pick_best(runs: Sequence[Record], asked: Sequence[int] = ()) -> Pick:
    """The training with the best value of the protocol's criterion on validation.

    Of equals the lowest seed. The test split plays no part.

    Args:
        runs: finished trainings of one model on one data set, one a seed.
        asked: seeds that the suite wants; those not trained are told.
    """
    best = max(sorted(runs, key=_seed), key=lambda r: _worth(_training(r)))
    seeds = sorted(map(_seed, runs))
    told = ", ".join(map(str, seeds))
    criterion, value = _criterion(_training(best))
    why = (
        f"seed {_seed(best)} has the best {criterion} ({value:.4f}) of seeds {told}; the test "
        "split played no part"
        if len(seeds) > 1
        else f"seed {_seed(best)} is the only one there is"
    )
    absent = ", ".join(str(seed) for seed in sorted({*asked} - {*seeds}))
    why += f"; not trained yet: seed {absent} of the suite" if absent else ""
    return _pick(best, seeds, why, suffix="")


def pick_named(record: Record, seeds: list[int]) -> Pick:
    """A training that was asked for by its seed."""
    seed = _seed(record)
    return _pick(record, seeds, f"seed {seed} was asked for by name", suffix=f"-seed-{seed}")


def _pick(record: Record, seeds: list[int], why: str, *, suffix: str) -> Pick:
    spec, result = record.spec, _training(record)
    assert isinstance(spec, RunSpec)
    criterion, value = _criterion(result)
    chosen = Chosen(
        seed=spec.seed,
        of_seeds=seeds,
        epoch=result.selected_epoch,
        criterion=criterion,
        value=value,
        why=why,
    )
    return Pick(record, chosen, f"{spec.data.name}-{spec.model.name}{suffix}")


def _criterion(result: TrainingResult) -> tuple[str, float]:
    """What chose the epoch, and its value; where the last epoch was kept, validation AUC."""
    name = result.selected_on.removeprefix("validation ")
    if name in ("acc", "loss"):
        return result.selected_on, result.val.acc if name == "acc" else result.val.loss
    if result.val.auc_present is None:
        return "validation loss", result.val.loss
    return "validation auc", result.val.auc_present


def _worth(result: TrainingResult) -> float:
    criterion, value = _criterion(result)
    return -value if criterion.endswith("loss") else value


def _seed(record: Record) -> int:
    assert isinstance(record.spec, RunSpec)
    return record.spec.seed


def _training(record: Record) -> TrainingResult:
    if record.training is None:
        raise InputError(
            "is no finished training", remedy="run its suite", file=f"record {record.id}"
        )
    return record.training
