"""Suites and protocols: TOML files, checked whole before anything runs.

A suite names grids of models × data sets × controls × seeds under one protocol. Paths in it are
relative to the suite's own file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import JsonValue, ValidationError

from bench.errors import InputError, nearest
from bench.specs import (
    Control,
    DataIdentity,
    DatasetSpec,
    ModelSpec,
    Precision,
    Protocol,
    RunSpec,
    describe_invalid,
)
from bench.suite_file import NO_CONTROL, DatasetEntry, ModelEntry, SuiteFile
from bench.toml_file import ROOT, read_toml, shown


@dataclass(frozen=True)
class Cell:
    """One run before its data is known: one point of one grid."""

    model: ModelSpec
    dataset: DatasetSpec
    control: Control | None
    seed: int


@dataclass(frozen=True)
class Suite:
    """A checked suite: its settings, its protocol and its cells in the order they run."""

    name: str
    path: Path
    settings: SuiteFile
    protocol: Protocol
    protocol_path: Path
    cells: tuple[Cell, ...]

    @property
    def protocol_name(self) -> str:
        """The protocol's name: that of its file."""
        return self.protocol_path.stem

    @property
    def reference(self) -> str:
        """What a command is given for it: its name where it is the project's, else its path."""
        own = self.path.parent == ROOT / "suites"
        return self.name if own else shown(self.path)

    @property
    def models(self) -> list[ModelSpec]:
        """Each model once, in the suite's order."""
        return list({cell.model.name: cell.model for cell in self.cells}.values())

    @property
    def cost_models(self) -> list[ModelSpec]:
        """The models whose cost is measured: ``cost.models``, or all that are trained."""
        if self.settings.cost.models is None:
            return self.models
        return [_model(name, self.settings) for name in self.settings.cost.models]

    @property
    def datasets(self) -> list[DatasetSpec]:
        """Each data set once, in the suite's order."""
        return list({cell.dataset.name: cell.dataset for cell in self.cells}.values())

    @property
    def seeds(self) -> list[int]:
        """Every seed the suite asks for."""
        return sorted({cell.seed for cell in self.cells})

    def only(self, wanted: dict[str, set[str]]) -> tuple[Cell, ...]:
        """The cells whose model, dataset, seed or control is among the ``wanted`` names.

        Raises:
            InputError: a name that no cell of the suite has, or no cell has them together.
        """
        for key, names in wanted.items():
            known = {_cell_key(cell, key) for cell in self.cells}
            for name in sorted(names - known):
                raise InputError(
                    f"the suite {self.name!r} has no {key} {name!r}",
                    remedy=nearest(name, known),
                    key="--only",
                )
        cells = tuple(
            cell
            for cell in self.cells
            if all(_cell_key(cell, key) in names for key, names in wanted.items())
        )
        if not cells:
            raise InputError(
                f"no run of the suite {self.name!r} is all of these at once",
                remedy="leave a key out; --dry-run without --only lists every run",
                key="--only",
            )
        return cells


def _cell_key(cell: Cell, key: str) -> str:
    match key:
        case "model":
            return cell.model.name
        case "dataset":
            return cell.dataset.name
        case "control":
            return cell.control.label if cell.control else NO_CONTROL
        case _:
            return str(cell.seed)


def run_spec(
    suite: Suite,
    cell: Cell,
    *,
    checksum: str = "",
    device: Literal["cpu", "cuda"] = "cpu",
    precision: Precision = "float32",
) -> RunSpec:
    """The cell as a run. Without data and device it serves to find records of the cell."""
    settings = suite.settings
    return RunSpec(
        model=cell.model,
        data=data_identity(cell.dataset, settings.source_size, checksum),
        image_size=settings.image_size,
        channels=settings.channels,
        control=cell.control,
        protocol=suite.protocol,
        seed=cell.seed,
        device=device,
        precision=precision,
        threads=settings.threads,
        deterministic=settings.deterministic and device == "cuda",
        compiled=settings.compiled,
    )


def data_identity(data: DatasetSpec, source_size: int, checksum: str) -> DataIdentity:
    """Which bytes these are, and what was said of them."""
    said: dict[str, JsonValue] = {
        "task": data.task,
        "classes": [*data.classes] if data.classes else None,
        "label_preserving": [*sorted(data.label_preserving)],
        "options": data.options,
    }
    return DataIdentity(
        name=data.name,
        checksum=checksum,
        source_size=source_size,
        described={key: value for key, value in said.items() if value},
    )


def suite_names(folder: Path = ROOT / "suites") -> list[str]:
    """The suites that come with the project."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_suite(name_or_path: str) -> Suite:
    """Read and check a suite by its name in ``suites/`` or its path.

    Raises:
        InputError: it is not there, not TOML, or a key or value of it cannot be used.
    """
    path = _find(name_or_path, ROOT / "suites", "suite", suite_names())
    settings = read_toml(path, SuiteFile)
    protocol, protocol_path = load_protocol(settings.protocol, path)
    try:
        cells = tuple(_cells(settings, path.parent))
        _check_duplicates(cells)
    except InputError as error:
        raise error.in_file(shown(path)) from None
    return Suite(path.stem, path, settings, protocol, protocol_path, cells)


def load_protocol(name: str, suite_path: Path) -> tuple[Protocol, Path]:
    """The protocol a suite names, of ``suites/protocols/`` or beside it, and its file.

    Raises:
        InputError: it is not there, not TOML, or a key or value of it cannot be used.
    """
    path = _find_protocol(name, suite_path)
    return read_toml(path, Protocol), path


def _find(name_or_path: str, folder: Path, kind: str, known: list[str]) -> Path:
    given = Path(name_or_path)
    if given.suffix == ".toml" or given.parent != Path("."):
        if given.is_file():
            return given.resolve()
        raise InputError("no such file", remedy=f"give a {kind} file's path", file=name_or_path)
    path = folder / f"{name_or_path}.toml"
    if path.is_file():
        return path
    raise InputError(f"no {kind} is called {name_or_path!r}", remedy=nearest(name_or_path, known))


def _find_protocol(name: str, suite_path: Path) -> Path:
    folder = ROOT / "suites" / "protocols"
    beside = suite_path.parent / name
    if name.endswith(".toml"):
        if beside.is_file():
            return beside.resolve()
        raise InputError(
            f"there is no {name} beside the suite",
            remedy="correct the name, or use one of suites/protocols without .toml",
            key="protocol",
            file=shown(suite_path),
        )
    try:
        return _find(name, folder, "protocol", [path.stem for path in folder.glob("*.toml")])
    except InputError as error:
        raise error.in_file(shown(suite_path), "protocol") from None


def _cells(settings: SuiteFile, folder: Path) -> list[Cell]:
    controls = {NO_CONTROL: None, **settings.control}
    _check_used(settings)
    cells = []
    for index, grid in enumerate(settings.grid):
        for name in grid.controls:
            if name not in controls:
                raise InputError(
                    f"no control is called {name!r}",
                    remedy=f"add [control.{name}], or {nearest(name, controls)}",
                    key=f"grid.{index}.controls",
                )
        for dataset in grid.datasets:
            for model in grid.models:
                for control in grid.controls:
                    cells += [
                        Cell(
                            _model(model, settings),
                            dataset_spec(dataset, settings.dataset, folder),
                            controls[control],
                            seed,
                        )
                        for seed in grid.seeds
                    ]
    return cells


def _check_used(settings: SuiteFile) -> None:
    """A table that no grid names is a slip of the pen, and would be ignored in silence."""
    measured = set(settings.cost.models or ())
    for table, entries, used in (
        ("model", settings.model, measured.union(*(grid.models for grid in settings.grid))),
        ("dataset", settings.dataset, {name for grid in settings.grid for name in grid.datasets}),
        ("control", settings.control, {name for grid in settings.grid for name in grid.controls}),
    ):
        for name in entries:
            if name not in used:
                raise InputError(
                    "no grid uses it",
                    remedy=f"name it in a grid's {table}s or remove it",
                    key=f"{table}.{name}",
                )


def _model(name: str, settings: SuiteFile) -> ModelSpec:
    entry = settings.model.get(name, ModelEntry())
    try:
        return ModelSpec(name=name, **entry.model_dump())
    except ValidationError as error:
        raise InputError(
            describe_invalid(error), remedy="correct it", key=f"model.{name}"
        ) from None


def dataset_spec(name: str, entries: dict[str, DatasetEntry], folder: Path) -> DatasetSpec:
    """A data set as a file's ``[dataset.NAME]`` describes it; paths are relative to the file."""
    entry = entries.get(name, DatasetEntry())
    values = entry.model_dump()
    if entry.path is not None:
        values["path"] = str((folder / Path(entry.path).expanduser()).resolve())
    return DatasetSpec(name=name, **values)


def _check_duplicates(cells: tuple[Cell, ...]) -> None:
    counts = Counter(
        (c.model.name, c.dataset.name, c.control.label if c.control else NO_CONTROL, c.seed)
        for c in cells
    )
    for (model, dataset, control, seed), count in counts.items():
        if count > 1:
            raise InputError(
                f"{model} × {dataset} × control {control} × seed {seed} is listed {count} times",
                remedy="list each combination once",
                key="grid",
            )
