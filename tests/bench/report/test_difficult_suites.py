"""Bad and missing input: tables say what is missing and how to make it; nothing is made up."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

import pytest

from bench.records.store import Store
from bench.report.table.model import Table
from bench.report.tables import suite_tables, write_tables
from bench.report.text import BLANK
from bench.suite import Suite
from tests._helpers.difficult import LONG, UNBROKEN, difficult_store, difficult_suite

Made = tuple[Suite, Store, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("hard")
    suite = difficult_suite(folder)
    store = difficult_store(folder, suite)
    write_tables(suite, store.all(), folder / "a", store=store)
    return suite, store, folder


@pytest.fixture(scope="module")
def tables(made: Made) -> list[Table]:
    suite, store, _ = made
    return suite_tables(suite, store.all(), store=store)


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def test_identical_records_give_identical_bytes(made: Made) -> None:
    suite, store, folder = made
    write_tables(suite, store.all()[::-1], folder / "b", store=store)
    first = {path.name: path.read_bytes() for path in (folder / "a").iterdir()}
    again = {path.name: path.read_bytes() for path in (folder / "b").iterdir()}
    assert first == again
    assert {name.rpartition(".")[2] for name in first} == {"md", "csv", "tex", "html", "bib"}


def test_what_is_missing_is_said_and_has_no_number(made: Made) -> None:
    _, _, folder = made
    table = rows(folder / "a" / "accuracy.csv")
    assert table[UNBROKEN]["breastmnist ACC (%)"] == BLANK
    assert table[UNBROKEN]["breastmnist seeds"] == BLANK
    assert table[LONG]["breastmnist ACC (%)"].startswith("50.0 [")  # one seed: over images
    assert table["resnet18"]["retinamnist seeds"] == "2"
    assert table["resnet18"]["notes"].startswith(
        "Stale: the code that decides this result has changed since: "
        "resnet18 · breastmnist · seed 1. "
    )
    page = (folder / "a" / "accuracy.md").read_text(encoding="utf-8")
    assert "resnet18 on retinamnist, seed 2: failed: 50 % of_it {broke} & \\x" in page
    assert f"{UNBROKEN} on breastmnist, retinamnist, seeds 0, 1, 2: not run yet" in page
    assert "Not held against the best of breastmnist ACC (%), breastmnist AUC (%)" in page
    assert "hard.toml` makes them" in page


def test_records_of_another_protocol_are_in_no_table(made: Made, tables: list[Table]) -> None:
    _, store, _ = made
    (other,) = [
        record.id
        for record in store.all()
        if record.training is not None and record.training.test.acc == 0.01
    ]
    shown = {
        identity
        for table in tables
        for row in table.rows
        for cell in row.values()
        for identity in cell.records
    }
    assert other not in shown
    assert len(shown) > 20


def test_every_number_of_ours_names_its_records(made: Made, tables: list[Table]) -> None:
    _, store, _ = made
    known = {record.id for record in store.all()}
    counted = 0
    for table in tables:
        keys = [column.key for column in table.columns]
        assert len(set(keys)) == len(keys)
        published = {column.key for column in table.columns if column.published}
        for row in table.rows:
            assert set(row) <= set(keys)
            for key, cell in row.items():
                assert set(cell.records) <= known
                assert all(1 <= mark <= len(table.notes) for mark in cell.marks)
                if cell.value and key not in published and key != "asked for":
                    assert cell.records, (table.name, key)
                    counted += 1
    assert counted > 200


def test_columns_of_one_data_set_stand_together(tables: list[Table]) -> None:
    for table in tables:
        groups = [group for group, _ in groupby(column.group for column in table.columns)]
        named = [group for group in groups if group]
        assert len(set(named)) == len(named), table.name


def test_cells_of_stale_records_are_stale(tables: list[Table]) -> None:
    table = tables[0]
    row = next(row for row in table.rows if row["model"].text == "resnet18")
    assert row["breastmnist ACC (%)"].state == "stale"
    assert row["retinamnist ACC (%)"].state == "shown"
    assert row["mean ACC (%)"].state == "stale"
    empty = next(row for row in table.rows if row["model"].text == UNBROKEN)
    assert empty["breastmnist ACC (%)"].state == "missing"


def test_an_empty_results_folder_gives_tables_that_say_how_to_fill_it(
    made: Made, tmp_path: Path
) -> None:
    suite, _, _ = made
    empty = Store(tmp_path / "results")
    write_tables(suite, [], tmp_path / "drawn", store=empty)
    for name, command in (
        ("accuracy", "python -m bench run"),
        ("ablations", "python -m bench run"),
        ("per-class", "python -m bench run"),
        ("provenance", "python -m bench run"),
    ):
        for suffix in ("md", "html"):
            assert command in (tmp_path / "drawn" / f"{name}.{suffix}").read_text(), name
    assert "No cost: not measured here" in (tmp_path / "drawn" / "cost.html").read_text()
    assert "newcommand" not in (tmp_path / "drawn" / "macros.tex").read_text()
