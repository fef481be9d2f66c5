"""Which records belong to which cell of a suite. A pure function of suite and records."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bench.details import MachineSpec
from bench.records.schema import CostResult, Record, TrainingResult
from bench.report.places import place_of
from bench.specs import CostSpec, RunSpec, deciding
from bench.staleness import ALL_STALE, Staleness
from bench.suite import Cell, Suite, run_spec
from bench.suite_details import detail_specs
from bench.suite_file import NO_CONTROL


@dataclass(frozen=True)
class Variant:
    """On what kind of device and in which precision runs were made; never mixed in one row."""

    device: str
    precision: str

    def __str__(self) -> str:
        return f"{self.device}, {self.precision}"


@dataclass
class Collected:
    """A suite's records by cell.

    Attributes:
        done: finished trainings by (model, data set, control, variant), in order of seed.
        problems: cells without a finished training, with what is known: failed, skipped, missing.
        costs: finished cost measurements by (model, device name), in the suite's order.
        details: cells of full measurements of the suite's models, finished or failed, in its order.
        stale: ids of records whose deciding source has changed since.
        left_out: sentences on records that fit a cell but were not used.
        by_id: the finished trainings again.
    """

    suite: Suite
    done: dict[tuple[str, str, str, Variant], list[Record]] = field(default_factory=dict)
    problems: list[tuple[Cell, str]] = field(default_factory=list)
    costs: dict[tuple[str, str], Record] = field(default_factory=dict)
    cost_problems: dict[str, str] = field(default_factory=dict)
    details: list[Record] = field(default_factory=list)
    stale: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)
    by_id: dict[str, Record] = field(default_factory=dict)

    @cached_property
    def variants(self) -> list[Variant]:
        """The variants that have finished trainings."""
        return sorted({key[3] for key in self.done}, key=str)

    @property
    def records(self) -> list[Record]:
        """Every finished training shown."""
        return [record for records in self.done.values() for record in records]

    @cached_property
    def places(self) -> frozenset[str]:
        """Where the finished trainings were made."""
        return frozenset(map(place_of, self.records))

    @property
    def controls(self) -> list[str]:
        """Labels of the controls in the suite, ``none`` first if it is among them."""
        labels = {control_label(cell): None for cell in self.suite.cells}
        return sorted(labels, key=lambda label: label != NO_CONTROL)


def control_label(cell: Cell) -> str:
    """The name a table gives the cell's control."""
    return cell.control.label if cell.control else NO_CONTROL


def collect(
    suite: Suite,
    records: Iterable[Record],
    checksums: Mapping[str, str] | None = None,
    staleness: Staleness = ALL_STALE,
) -> Collected:
    """Sort records into the suite's cells; those of other suites are passed over.

    Args:
        checksums: today's checksums of data sets, where known: records of other data under the
            same name are then left out.
        staleness: what is known of changed code that gives the same bits.
    """
    collected = Collected(suite)
    trainings: dict[str, list[Record]] = defaultdict(list)
    costs: list[Record] = []
    details: list[Record] = []
    for record in sorted(records, key=lambda record: record.id):
        if isinstance(record.spec, RunSpec):
            trainings[record.spec.cell_key].append(record)
        elif isinstance(record.spec, CostSpec):
            costs.append(record)
        else:
            details.append(record)
    fitting = [
        [
            record
            for record in trainings[run_spec(suite, cell).cell_key]
            if is_on_asked_device(suite, record)
        ]
        for cell in suite.cells
    ]
    chosen = _chosen_checksums(fitting, checksums or {}, collected)
    for cell, found in zip(suite.cells, fitting, strict=True):
        _place(cell, found, chosen, collected)
    collected.by_id = {record.id: record for record in collected.records}
    _place_costs(suite, costs, collected)
    _place_details(suite, details, collected)
    collected.stale = {
        record.id
        for record in [*collected.records, *collected.costs.values(), *collected.details]
        if staleness.stale(record.spec, record.provenance)
    }
    return collected


def training_of(record: Record) -> TrainingResult:
    """The result of a record that is known to be a finished training."""
    assert record.training is not None
    return record.training


def cost_of(record: Record) -> CostResult:
    """The result of a record that is known to be a finished measurement."""
    assert record.cost is not None
    return record.cost


def _text(parts: list[object]) -> str:
    return json.dumps(parts, sort_keys=True)


def is_on_asked_device(suite: Suite, record: Record) -> bool:
    """Whether a training ran on a device and in a precision that the suite asks for."""
    settings, spec = suite.settings, record.spec
    assert isinstance(spec, RunSpec)
    return (
        settings.device in ("auto", spec.device)
        and settings.precision in ("auto", spec.precision)
        and spec.deterministic == (settings.deterministic and spec.device == "cuda")
    )


def _chosen_checksums(
    fitting: Iterable[list[Record]], today: Mapping[str, str], collected: Collected
) -> dict[str, str]:
    """One version of each data set: today's, else the official one, else the only one there is."""
    counts: dict[str, Counter[tuple[bool, str]]] = defaultdict(Counter)
    for records in fitting:
        for record in records:
            if record.training is not None and isinstance(record.spec, RunSpec):
                official = bool(record.training.data.official)
                counts[record.spec.data.name][official, record.spec.data.checksum] += 1
    chosen = {}
    for name, versions in counts.items():
        wanted = today.get(name) or _official_or_only(versions)
        others = sum(n for (_, checksum), n in versions.items() if checksum != wanted)
        if wanted is not None:
            chosen[name] = wanted
        if others:
            collected.left_out.append(
                f"{others} record(s) on another version of {name} are left out "
                f"(shown: {wanted[:24] if wanted else 'none, since it is unclear which is meant'})."
            )
    return chosen


def _official_or_only(versions: Counter[tuple[bool, str]]) -> str | None:
    official = sorted(checksum for is_official, checksum in versions if is_official)
    if official:
        return official[0]
    return next(iter(versions))[1] if len(versions) == 1 else None


def _place(cell: Cell, records: list[Record], chosen: dict[str, str], collected: Collected) -> None:
    found = False
    for record in records:
        spec = record.spec
        if record.status != "done" or not isinstance(spec, RunSpec):
            continue
        if spec.data.checksum == chosen.get(spec.data.name):
            variant = Variant(spec.device, spec.precision)
            key = (cell.model.name, cell.dataset.name, control_label(cell), variant)
            collected.done.setdefault(key, []).append(record)
            found = True
    if not found:
        last = max(records, key=lambda r: r.provenance.started_at, default=None)
        told = f"{last.status}: {last.reason}" if last and last.status != "done" else "not run yet"
        collected.problems.append((cell, told))


def _place_costs(suite: Suite, records: list[Record], collected: Collected) -> None:
    wanted = {_text([deciding(model)]): model for model in suite.cost_models}
    order = {model.name: index for index, model in enumerate(suite.cost_models)}
    found = []
    for record in records:
        spec = record.spec
        if not isinstance(spec, CostSpec) or not is_asked_cost(suite, spec):
            continue
        model = wanted.get(_text([deciding(spec.model)]))
        if model is not None:
            found.append((model, record))
    for model, record in sorted(found, key=lambda pair: order[pair[0].name]):
        if record.status == "done":
            spec = record.spec
            assert isinstance(spec, CostSpec)
            collected.costs[model.name, f"{spec.device_name}, {spec.precision}"] = record
    measured = {name for name, _ in collected.costs}
    collected.cost_problems = {m.name: "not measured here" for m in suite.cost_models}
    for model, record in found:
        if record.reason:
            collected.cost_problems[model.name] = record.reason
    for name in measured:
        del collected.cost_problems[name]


def _place_details(suite: Suite, records: list[Record], collected: Collected) -> None:
    """The cells that ``measure --full`` makes of this suite, on whatever machines it was made."""
    machines = {
        (spec.device, spec.device_name)
        for record in records
        if isinstance(spec := record.spec, MachineSpec)
        and suite.settings.device in ("auto", spec.device)
    }
    found = {record.id: record for record in records}
    for kind, name in sorted(machines):
        for spec in detail_specs(suite, kind, name):
            if spec.id in found:
                collected.details.append(found[spec.id])


def is_asked_cost(suite: Suite, spec: CostSpec) -> bool:
    """Whether a cost measurement, of whatever model, is as the suite asks for it."""
    settings = suite.settings
    return (
        spec.image_size == settings.image_size
        and spec.channels == settings.channels
        and spec.threads == settings.threads
        and spec.batch_size == settings.cost.batch_size
        and spec.num_classes == settings.cost.num_classes
        and spec.channels_last == settings.cost.channels_last
        and settings.device in ("auto", spec.device)
        and settings.precision in ("auto", spec.precision)
    )
