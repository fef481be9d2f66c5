"""Rows of one table tell apart machines and versions of torch; all alike, they say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.accuracy import Context, accuracy_table
from bench.report.collect import collect
from bench.report.footnotes import Footnotes
from bench.report.places import place_of, places_told
from bench.suite import Suite, load_suite
from tests._helpers.records import train


@pytest.fixture
def suite() -> Suite:
    return load_suite("breast")


def made(record: Record, device: str, torch: str) -> Record:
    provenance = record.provenance.model_copy(
        update={"device_name": device, "packages": {"torch": torch}}
    )
    return record.model_copy(update={"provenance": provenance})


def drawn(suite: Suite, records: list[Record]) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """The marks of each model's name, and the footnotes."""
    table = accuracy_table(Context(collect(suite, records), {}, Footnotes()))
    return {row["model"].text: row["model"].marks for row in table.rows}, list(table.notes)


def test_rows_name_their_machines_where_a_table_holds_several(suite: Suite, tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = train(store, suite, "medspectralnet", "breastmnist", 0, 80)
    two = train(store, suite, "medspectralnet", "breastmnist", 1, 80)
    rival = train(store, suite, "resnet18", "breastmnist", 0, 80)
    alike = [made(record, "H100", "2.11") for record in (one, two, rival)]
    _, quiet = drawn(suite, alike)
    assert not [line for line in quiet if "Made on" in line]
    for device, torch in (("H200", "2.11"), ("H100", "2.14")):
        rows, notes = drawn(suite, [alike[0], made(two, device, torch), alike[2]])
        mixed = next(line for line in notes if "different machines or versions" in line)
        assert "1 on H100, torch 2.11" in mixed
        assert f"1 on {device}, torch {torch}" in mixed
        assert any(line.endswith("Made on H100, torch 2.11.") for line in notes)
        assert rows["medspectralnet"]
        assert rows["resnet18"]


def test_a_row_without_records_says_nothing(suite: Suite, tmp_path: Path) -> None:
    record = train(Store(tmp_path), suite, "medspectralnet", "breastmnist", 0, 80)
    everyone = [made(record, "a", "1"), made(record, "b", "1")]
    places = {place_of(one) for one in everyone}
    assert places_told(places, []) == []
    assert places_told({place_of(everyone[0])}, everyone[:1]) == []
    assert places_told(places, everyone[1:]) == ["Made on b, torch 1."]
