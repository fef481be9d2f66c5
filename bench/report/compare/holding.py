"""The suites that hold two models, and stand-ins for runs that no suite of the checkout knows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.errors import InputError, nearest
from bench.records.schema import Record
from bench.specs import DatasetSpec, Protocol, RunSpec, deciding
from bench.suite import Cell, Suite, run_spec
from bench.suite_file import CostOptions, SuiteFile
from bench.toml_file import ROOT, read_toml


def holding(suites: Iterable[Suite], names: Sequence[str]) -> list[Suite]:
    """Those that train every one of the models."""
    return [suite for suite in suites if set(names) <= {model.name for model in suite.models}]


def check_holds(suite: Suite, names: Sequence[str]) -> None:
    """Refuse a suite, asked for by name, that does not train both models.

    Raises:
        InputError: naming the model that it lacks.
    """
    known = {model.name for model in suite.models}
    for key, name in zip("AB", names, strict=True):
        if name not in known:
            remedy = nearest(name, known) if known else "it trains nothing, it only measures"
            raise InputError(
                f"the suite {suite.name!r} does not train {name!r}", remedy=remedy, key=key
            )


def stand_ins(
    records: Iterable[Record], suites: Iterable[Suite], names: Sequence[str]
) -> list[Suite]:
    """A suite for each setting under which both models were trained and that no suite asks for.

    A setting is everything that decides a run but its model, data set, control and seed. What a
    suite would know and records do not (its region) is at its default, and the other models of the
    setting stand in it too, since they belong to the family of comparisons.
    """
    asked = {run_spec(suite, cell).cell_key for suite in suites for cell in suite.cells}
    groups: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.id):
        spec = record.spec
        if isinstance(spec, RunSpec) and spec.cell_key not in asked:
            groups.setdefault(_setting(spec), []).append(record)
    found = [_suite(group) for group in groups.values()]
    return holding(found, names)


def _setting(spec: RunSpec) -> str:
    known = deciding(spec, without={"model", "data", "control", "seed"})
    told = [known, spec.protocol.deciding(), spec.data.source_size, spec.data.described]
    return json.dumps(told, sort_keys=True)


def _suite(group: list[Record]) -> Suite:
    specs = [record.spec for record in group if isinstance(record.spec, RunSpec)]
    first = specs[0]
    name = next((record.suite.name for record in group if record.suite), "unknown")
    protocol = _protocol_path(first.protocol)
    settings = SuiteFile(
        about="Records that no suite of the checkout asks for.",
        protocol=protocol.stem,
        source_size=first.data.source_size,
        image_size=first.image_size,
        channels=first.channels,
        device=first.device,
        precision=first.precision,
        threads=first.threads,
        deterministic=first.deterministic,
        compiled=first.compiled,
        cost=CostOptions(
            models=[first.model.name], num_classes=2, batch_size=1, seconds_per_model=1
        ),
    )
    cells: dict[tuple[str, str, str, int], Cell] = {}
    for spec in specs:
        control = spec.control.label if spec.control else ""
        key = (spec.model.name, spec.data.name, control, spec.seed)
        data = DatasetSpec.model_validate({"name": spec.data.name, **spec.data.described})
        cells.setdefault(key, Cell(spec.model, data, spec.control, spec.seed))
    others = len({spec.cell_key for spec in specs}) - len(cells)
    if others:
        settings.about += (
            f" {others} runs with other arguments or data under the same names are left out."
        )
    return Suite(name, Path(f"{name}.toml"), settings, first.protocol, protocol, (*cells.values(),))


def _protocol_path(protocol: Protocol) -> Path:
    """The project's protocol that decides the same; ``unnamed`` where no file of it does."""
    for path in sorted((ROOT / "suites" / "protocols").glob("*.toml")):
        if read_toml(path, Protocol).deciding() == protocol.deciding():
            return path
    return Path("unnamed")


def only_models(suite: Suite, names: Sequence[str]) -> Suite:
    """The suite with these models alone, in this order."""
    cells = [cell for name in names for cell in suite.cells if cell.model.name == name]
    return dataclasses.replace(suite, cells=tuple(cells))
