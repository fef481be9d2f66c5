"""The records that checks look into, each value with the file it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from bench.errors import InputError
from bench.race.record import FOLDER as RACES
from bench.race.record import RaceRecord
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.claims.file import Printed
from bench.report.claims.verdict import Link
from bench.report.collect import Collected, Variant, collect
from bench.report.published import Published, read_published
from bench.specs import describe_invalid
from bench.staleness import Staleness
from bench.suite import load_suite
from bench.suite_file import NO_CONTROL
from bench.toml_file import ROOT, shown

PUBLISHED = ROOT / "results" / "published.csv"


@dataclass(frozen=True)
class Runs:
    """The finished trainings of one model on one data set, by seed.

    Attributes:
        lacking: why there is none for a seed that the suite asks for, one sentence each.
    """

    dataset: str
    variant: Variant | None
    by_seed: dict[int, Record]
    lacking: list[str]

    @property
    def whole(self) -> bool:
        return bool(self.by_seed) and not self.lacking


@dataclass
class Kept:
    """Everything below a results folder; a damaged record is left out and named in ``damaged``."""

    results: Path
    damaged: list[str] = field(init=False)
    _records: list[Record] = field(init=False)
    _suites: dict[str, Collected] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._records, self.damaged = Store(self.results).readable()

    @cached_property
    def _staleness(self) -> Staleness:
        return Staleness.load(self.results)

    @cached_property
    def _published(self) -> list[Published]:
        return read_published(PUBLISHED)

    def suite(self, name: str) -> Collected:
        """The suite's records by cell.

        Raises:
            InputError: there is no such suite.
        """
        if name not in self._suites:
            suite = load_suite(name)
            self._suites[name] = collect(suite, self._records, staleness=self._staleness)
        return self._suites[name]

    def printed(self, wanted: Printed, column: Literal["params_m", "gmacs"]) -> tuple[str, Link]:
        """What rows that ``wanted`` names print in a column, and where the first of them stands.

        Raises:
            InputError: no row fits, or the rows that fit do not print one and the same number.
        """
        return self._one_number(wanted, column)

    def _one_number(self, wanted: Printed, column: str, dataset: str = "") -> tuple[str, Link]:
        found = [
            (str(value), line)
            for line, row in enumerate(self._published, start=2)
            if (value := getattr(row, column))
            and dataset in ("", row.dataset)
            and row.model == wanted.model
            and row.source.startswith(wanted.source)
            and row.where.startswith(wanted.where)
        ]
        values = {value for value, _ in found}
        if len(values) != 1:
            raise InputError(
                f"{len(found)} rows of {wanted.model!r} by {wanted.source!r} print "
                f"{len(values)} different numbers",
                remedy="name rows that print one: say more of source and where, or less",
                file=shown(PUBLISHED),
                key=column,
            )
        value, line = found[0]
        return value, Link(f"published.csv, line {line}", PUBLISHED)

    def printed_score(
        self, wanted: Printed, dataset: str, column: Literal["acc", "auc"]
    ) -> tuple[str, Link]:
        """As ``printed``, of the rows on one data set; a share, as the table prints it.

        Raises:
            InputError: as there.
        """
        return self._one_number(wanted, column, dataset)

    def costs(self, suite: str, model: str) -> list[Record]:
        """The model's cost measurements at the suite's size, one a machine."""
        return [r for (name, _), r in self.suite(suite).costs.items() if name == model]

    def lacks_cost(self, suite: str, model: str) -> str:
        """Why there is no cost measurement of the model."""
        collected = self.suite(suite)
        why = collected.cost_problems.get(model, f"the suite {suite!r} does not measure it")
        return f"{model} at {collected.suite.settings.image_size} px: {why}{self._damage()}"

    def runs(self, suite: str, model: str, dataset: str) -> Runs:
        """The model's trainings on a data set: of the first variant that has every seed.

        Where none has, of the first that has any. Predictions must be the bytes the run left.
        """
        return self.runs_by_variant(suite, model, dataset)[0]

    def runs_by_variant(self, suite: str, model: str, dataset: str) -> list[Runs]:
        """The same of each variant that has every seed; where none has, what ``runs`` is."""
        collected = self.suite(suite)
        seeds = sorted(
            cell.seed
            for cell in collected.suite.cells
            if (cell.model.name, cell.dataset.name, cell.control) == (model, dataset, None)
        )
        if not seeds:
            why = f"the suite {suite!r} does not train {model} on {dataset}"
            return [Runs(dataset, None, {}, [why])]
        found = [
            self._of_variant(collected, (model, dataset), variant, seeds)
            for variant in collected.variants
        ]
        why = f"no run of {model} on {dataset} in the suite {suite!r} is here{self._damage()}"
        none = Runs(dataset, None, {}, [why])
        with_any = [runs for runs in found if runs.by_seed]
        return [runs for runs in with_any if runs.whole] or [*with_any, none][:1]

    def command(self, suite: str, models: Sequence[str], datasets: Sequence[str]) -> str:
        """What trains these models on these data sets."""
        parts = [f"model={model}" for model in models] + [f"dataset={name}" for name in datasets]
        reference = self.suite(suite).suite.reference
        return f"python -m bench run {reference} --only {','.join(parts)}"

    def _of_variant(
        self,
        collected: Collected,
        cell: tuple[str, str],
        variant: Variant,
        seeds: Sequence[int],
    ) -> Runs:
        store, by_seed, lacking = Store(self.results), {}, []
        done = collected.done.get((*cell, NO_CONTROL, variant), [])
        records = {getattr(record.spec, "seed", None): record for record in done}
        for seed in seeds:
            record = records.get(seed)
            if record is None:
                lacking.append(f"{cell[0]} on {cell[1]}, seed {seed}: no finished run is here")
            elif not store.has_predictions(record):
                lacking.append(f"{record.spec.label} ({record.id}): predictions gone or changed")
            else:
                by_seed[seed] = record
        if lacking and self.damaged:
            lacking.append(f"damaged records: {self.damaged_names}")
        return Runs(cell[1], variant, by_seed, lacking)

    @property
    def damaged_names(self) -> str:
        """The files of damaged records, for a sentence."""
        return ", ".join(sorted(Path(line.partition(": ")[0]).name for line in self.damaged))

    def _damage(self) -> str:
        return f" (damaged records: {self.damaged_names})" if self.damaged else ""

    def link(self, record: Record, suite: str) -> Link:
        """The record's file; its text says where the code has changed since."""
        stale = " (stale)" if record.id in self.suite(suite).stale else ""
        return Link(record.id + stale, Store(self.results).path(record.id))

    def race(self, name: str) -> tuple[RaceRecord | None, str, Link]:
        """A record of races, or None and why."""
        path = self.results / RACES / f"{name}.json"
        link = Link(f"races/{name}.json", path)
        try:
            record = RaceRecord.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None, f"there is no record of the races {name!r}", link
        except (ValidationError, OSError, UnicodeDecodeError) as error:
            why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
            return None, f"the record of the races {name!r} is damaged: {why}", link
        return record, "", Link(link.text + (" (stale)" if record.stale else ""), path)
