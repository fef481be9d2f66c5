"""From a suite to its runs: which data it sees here, on which device, and each run's identity."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from bench.data import medmnist
from bench.data.cache import Cache
from bench.data.catalog import check, checksum, load
from bench.data.control_limits import check_control
from bench.data.dataset import Dataset
from bench.data.info import DatasetInfo
from bench.data.invariances import check_strengths
from bench.errors import DataUnavailable, InputError
from bench.provenance import processor
from bench.specs import CostSpec, DatasetSpec, ModelSpec, Precision, RunSpec
from bench.suite import Cell, Suite, run_spec
from bench.toml_file import shown

UNAVAILABLE = "unavailable"
"""The checksum of data that could not be had: its runs are recorded as skipped under it."""


@dataclass(frozen=True)
class Device:
    """What the suite's runs use here, ``auto`` resolved."""

    kind: Literal["cpu", "cuda"]
    name: str
    precision: Precision


@dataclass
class Plan:
    """The runs of a suite on this machine, in the suite's order.

    Attributes:
        datasets: what could be loaded, by name.
        unavailable: data sets that could not be had, with the line to print.
    """

    suite: Suite
    device: Device
    runs: list[RunSpec] = field(default_factory=list)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)


def resolve_device(suite: Suite) -> Device:
    """The device the suite asks for.

    Raises:
        InputError: it asks for ``cuda`` and this machine has none, or for a precision that the
            device lacks.
    """
    settings = suite.settings
    if settings.device == "cpu":
        return Device("cpu", processor(), _cpu_precision(suite))
    import torch  # only here: a suite for the CPU is planned without it

    has_cuda = torch.cuda.is_available()
    if settings.device == "cuda" and not has_cuda:
        raise InputError(
            "'cuda' is asked for and this machine has no usable CUDA device",
            remedy="use device = 'auto' or 'cpu', or run it where there is one",
            file=shown(suite.path),
            key="device",
        )
    if not has_cuda:
        return Device("cpu", processor(), _cpu_precision(suite))
    precision = settings.precision
    if precision == "auto":
        precision = "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return Device("cuda", torch.cuda.get_device_name(), precision)


def _cpu_precision(suite: Suite) -> Precision:
    precision = suite.settings.precision
    if precision == "float16":
        raise InputError(
            "training in float16 needs a CUDA device",
            remedy="use 'float32' or 'bfloat16'",
            file=shown(suite.path),
            key="precision",
        )
    return "float32" if precision == "auto" else precision


def check_data(suite: Suite, cells: tuple[Cell, ...]) -> dict[str, DatasetInfo]:
    """What is known of each data set of these cells without reading it.

    Raises:
        InputError: a data set's name, size or options cannot be used, its images have more
            channels than the suite feeds, or phantoms and real data stand in one suite.
    """
    settings, found = suite.settings, {}
    for spec in _datasets(cells):
        try:
            info = check(spec, settings.source_size)
        except DataUnavailable:
            continue  # said when it is loaded
        except InputError as error:
            described = spec.name in suite.settings.dataset
            key = f"dataset.{spec.name}" if described else "grid.datasets"
            raise error.in_file(shown(suite.path), key) from None
        if info.channels > settings.channels:
            raise InputError(
                f"{settings.channels} while {spec.name} has {info.channels} channels",
                remedy="use channels = 3",
                file=shown(suite.path),
                key="channels",
            )
        found[spec.name] = info
    _check_not_mixed(suite, found)
    _check_inputs(suite)
    return found


def _check_inputs(suite: Suite) -> None:
    """Controls and augmentations must fit the image size."""
    size = suite.settings.image_size
    for name, control in suite.settings.control.items():
        try:
            check_control(control, size)
        except InputError as error:
            raise InputError(
                error.problem,
                remedy=error.remedy,
                key=f"control.{name}.{error.key}",
                file=shown(suite.path),
            ) from None
    try:
        check_strengths(suite.protocol.augment, size)
    except InputError as error:
        raise error.in_file(shown(suite.protocol_path)) from None


def _check_not_mixed(suite: Suite, found: dict[str, DatasetInfo]) -> None:
    synthetic = sorted(name for name, info in found.items() if info.synthetic)
    real = sorted(name for name, info in found.items() if not info.synthetic)
    if synthetic and real:
        raise InputError(
            f"synthetic {synthetic[0]} and real {real[0]} in one suite",
            remedy="make a suite of each: they are never shown in one table",
            file=shown(suite.path),
            key="grid.datasets",
        )


def make_plan(
    suite: Suite,
    cells: tuple[Cell, ...],
    *,
    download: bool = True,
    stream: bool = False,
    device: Device | None = None,
) -> Plan:
    """Load the data the cells need and give each run its identity.

    Args:
        download: fetch what is not here; otherwise it counts as unavailable.
        stream: leave the images on disk, mapped.
        device: what the runs use where they are done; None: it is this machine's.

    Raises:
        InputError: a data set is there but cannot be used (broken, truncated, bad labels), or what
            the environment says of the cache cannot.
    """
    Cache.from_environment()  # refused now, not run by run
    plan = Plan(suite, device or resolve_device(suite))
    if suite.settings.compiled is not None and plan.device.kind == "cpu":
        raise InputError(
            "compiled training passes are for a CUDA device, and this suite runs on the CPU here",
            remedy="leave it out",
            file=shown(suite.path),
            key="compiled",
        )
    for spec in _datasets(cells):
        try:
            if not download and not _is_here(spec, suite.settings.source_size):
                raise DataUnavailable(
                    f"{spec.name} is not here", remedy="`run` downloads it (or set MEDMNIST_ROOT)"
                )
            plan.datasets[spec.name] = load(spec, suite.settings.source_size, stream=stream)
            _check_selectable(suite, plan.datasets[spec.name])
            _check_batch(suite, plan.datasets[spec.name])
        except DataUnavailable as error:
            plan.unavailable[spec.name] = str(error)
    for cell in cells:
        data = plan.datasets.get(cell.dataset.name)
        plan.runs.append(
            run_spec(
                suite,
                cell,
                checksum=data.source.checksum if data else UNAVAILABLE,
                device=plan.device.kind,
                precision=plan.device.precision,
            )
        )
    return plan


def _check_selectable(suite: Suite, data: Dataset) -> None:
    """AUC chooses nothing on a validation split of one class: say so before training."""
    labels = data.val.labels
    if suite.protocol.select == "auc" and labels.ndim == 1 and (labels == labels[0]).all():
        raise InputError(
            f"the validation split of {data.name} shows one class only, AUC cannot choose on it",
            remedy="select on acc or loss, or give it images of another class",
            key="select",
            file=shown(suite.protocol_path),
        )


def _check_batch(suite: Suite, data: Dataset) -> None:
    """A batch that the whole split does not fill would be a smaller one in silence."""
    if suite.protocol.batch_size > len(data.train):
        raise InputError(
            f"{suite.protocol.batch_size} is more than the {len(data.train)} training images of "
            f"{data.name}",
            remedy=f"give at most {len(data.train)}",
            key="batch_size",
            file=shown(suite.protocol_path),
        )


def present_checksums(suite: Suite) -> dict[str, str]:
    """Today's checksum of each phantom and own data set that is at hand, by name.

    Reports use it to tell records of this data from records of other data under the same name.
    """
    found = {}
    for spec in suite.datasets:
        if spec.name not in medmnist.info_by_flag():
            with contextlib.suppress(InputError):
                found[spec.name] = checksum(spec, suite.settings.source_size)
    return found


def _datasets(cells: tuple[Cell, ...]) -> list[DatasetSpec]:
    return list({cell.dataset.name: cell.dataset for cell in cells}.values())


def _is_here(spec: DatasetSpec, source_size: int) -> bool:
    if spec.name not in medmnist.info_by_flag():
        return True
    return medmnist.locate(spec.name, source_size) is not None


def cost_specs(suite: Suite, device: Device, models: Iterable[ModelSpec]) -> list[CostSpec]:
    """One cost measurement for each model at the suite's image size on this machine."""
    settings = suite.settings
    return [
        CostSpec(
            model=model,
            image_size=settings.image_size,
            channels=settings.channels,
            num_classes=settings.cost.num_classes,
            device=device.kind,
            device_name=device.name,
            precision=device.precision,
            threads=settings.threads,
            batch_size=settings.cost.batch_size,
            channels_last=settings.cost.channels_last,
        )
        for model in models
    ]
