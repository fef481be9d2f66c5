"""How long a suite's runs would take on some hardware, from what was recorded on such hardware."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.errors import InputError
from bench.records.schema import Record
from bench.specs import CostSpec, RunSpec
from bench.suite import Cell, Suite, run_spec
from bench.training.length import passes_per_epoch


@dataclass(frozen=True)
class Expected:
    """One run's expected time.

    Attributes:
        seconds: None where nothing recorded there tells of it.
        by_inference: derived from the model's inference speed there, for want of a training.
    """

    spec: RunSpec
    seconds: float | None
    by_inference: bool = False


@dataclass(frozen=True)
class HardwareEstimate:
    """A suite on some hardware.

    Attributes:
        devices: the recorded names that the asked one matched.
        passes_per_inference: seconds of a whole run for each image pass of training, times the
            images/s of inference: the median over models that have both on one device.
        models_with_both: how many models that rests on.
    """

    devices: list[str]
    runs: list[Expected]
    passes_per_inference: float | None
    models_with_both: int

    @property
    def known(self) -> list[float]:
        """The expected times there are."""
        return [run.seconds for run in self.runs if run.seconds is not None]

    @property
    def unknown_models(self) -> list[str]:
        """Models of which nothing was recorded there."""
        return sorted({run.spec.model.name for run in self.runs if run.seconds is None})


def estimate_on(
    suite: Suite,
    cells: Iterable[Cell],
    train_images: Mapping[str, int],
    records: Iterable[Record],
    hardware: str,
) -> HardwareEstimate:
    """The cells' expected times on devices whose recorded name holds ``hardware``.

    Trainings of the same model at the same size there tell best; else its inference speed there,
    times what a pass of training costs in inferences wherever both were recorded.

    Args:
        train_images: of each data set, by name; a cell whose data is not among them has no time.

    Raises:
        InputError: nothing was recorded on such a device.
    """
    records = [record for record in records if record.status == "done"]
    there = [record for record in records if hardware.lower() in _device(record).lower()]
    if not there:
        known = sorted({_device(record) for record in records})
        raise InputError(
            f"nothing was recorded on a device whose name holds {hardware!r}, so there is no "
            "measured speed to estimate from",
            remedy=f"measure there: python -m bench measure {suite.reference} (recorded are: "
            f"{'; '.join(known) or 'none'})",
            key="--hardware",
        )
    ratios = inferences_per_pass(records)
    ratio = statistics.median(ratios.values()) if ratios else None
    paces, speeds = _paces(there), _inference_speeds(there)
    runs = [
        _expected(suite, cell, train_images.get(cell.dataset.name), paces, speeds, ratio)
        for cell in cells
    ]
    return HardwareEstimate(sorted({_device(r) for r in there}), runs, ratio, len(ratios))


def _expected(
    suite: Suite,
    cell: Cell,
    images: int | None,
    paces: Mapping[tuple[str, int], float],
    speeds: Mapping[tuple[str, int], float],
    ratio: float | None,
) -> Expected:
    spec = run_spec(suite, cell)
    if images is None:
        return Expected(spec, None)
    passes = spec.protocol.epochs * passes_per_epoch(spec.protocol, images) * images
    key = (spec.model.name, spec.image_size)
    if key in paces:
        return Expected(spec, paces[key] * passes)
    if key not in speeds or ratio is None:
        return Expected(spec, None)
    return Expected(spec, ratio * passes / speeds[key], by_inference=True)


def inferences_per_pass(records: Iterable[Record]) -> dict[tuple[str, int, str], float]:
    """By model, size and device with both: inferences that take as long as a pass of training.

    All that a run does is shared out over its passes: validation, the test split, keeping records.
    """
    records = list(records)
    by_device: dict[str, list[Record]] = {}
    for record in records:
        by_device.setdefault(_device(record), []).append(record)
    found = {}
    for device, here in by_device.items():
        paces, speeds = _paces(here), _inference_speeds(here)
        for key in paces.keys() & speeds.keys():
            found[*key, device] = paces[key] * speeds[key]
    return found


def _paces(records: Iterable[Record]) -> dict[tuple[str, int], float]:
    """Seconds of a whole run for each image pass, by model and image size, the median."""
    found: dict[tuple[str, int], list[float]] = {}
    for record in records:
        spec, result = record.spec, record.training
        if isinstance(spec, RunSpec) and result is not None:
            images = result.data.images["train"]
            passes = spec.protocol.epochs * passes_per_epoch(spec.protocol, images) * images
            key = (spec.model.name, spec.image_size)
            found.setdefault(key, []).append(record.provenance.wall_s / passes)
    return {key: statistics.median(paces) for key, paces in found.items()}


def _inference_speeds(records: Iterable[Record]) -> dict[tuple[str, int], float]:
    """Images/s by model and image size, the median over the records of each."""
    found: dict[tuple[str, int], list[float]] = {}
    for record in records:
        if isinstance(record.spec, CostSpec) and record.cost is not None:
            key = (record.spec.model.name, record.spec.image_size)
            found.setdefault(key, []).append(record.cost.throughput_images_per_s_median)
    return {key: statistics.median(speeds) for key, speeds in found.items()}


def _device(record: Record) -> str:
    return record.provenance.device_name
