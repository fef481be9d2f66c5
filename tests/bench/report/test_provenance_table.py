"""What tables rest on: one row for records made alike, none passed over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.records.audit import load_all
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.audit_table import audit_table
from bench.report.audits import Audits
from bench.report.collect import collect
from bench.report.context import STALE, Context
from bench.report.provenance_table import provenance_table
from bench.suite import Suite
from bench.toml_file import ROOT
from tests._helpers.records import measure, train
from tests._helpers.tables import texts
from tests.bench.report.verdicts.test_page import SUITE, made


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return made(tmp_path, SUITE)


@pytest.fixture
def records(suite: Suite, tmp_path: Path) -> list[Record]:
    store = Store(tmp_path / "results")
    for seed in (0, 1, 2):
        train(store, suite, "resnet18", "breastmnist", seed, 80)
    measure(store, suite, "resnet18")
    return store.all()


def remade(record: Record, **changes: object) -> Record:
    return record.model_copy(update={"provenance": record.provenance.model_copy(update=changes)})


def test_records_made_alike_share_a_row(suite: Suite, records: list[Record]) -> None:
    table = provenance_table(Context(collect(suite, records)))
    rows = sorted(texts(table.rows), key=lambda row: row["what"])
    assert [(row["what"], row["how many"]) for row in rows] == [("cost", "1"), ("training", "3")]
    assert rows[1]["data"] == "breastmnist x"
    assert rows[1]["again"] == (
        f"git checkout c; BENCH_RESULTS=again python -m bench run {suite.reference}"
    )
    assert "python -m bench measure" in rows[0]["again"]
    assert {row["code today"] for row in rows} == {"gives the same"}


def test_hours_are_summed_over_the_records_of_a_row(suite: Suite, records: list[Record]) -> None:
    lasted = {"cost": [900.0], "training": [3600.0, 1800.0, 36.0]}
    every = [remade(record, wall_s=lasted[record.kind].pop()) for record in records]
    rows = texts(provenance_table(Context(collect(suite, every))).rows)
    assert {row["what"]: row["hours"] for row in rows} == {"cost": "0.25", "training": "1.51"}


@pytest.mark.parametrize(
    "changes",
    [
        {"commit": "d"},
        {"dirty": True},
        {"device_name": "another"},
        {"packages": {"torch": "1"}},
        {"threads": 1},
        {"source_digest": "old"},
        {"python": "2"},
    ],
)
def test_every_difference_in_how_it_was_made_has_a_row(
    suite: Suite, records: list[Record], changes: dict[str, object]
) -> None:
    odd = next(record for record in records if record.kind == "training")
    every = [remade(r, **changes) if r is odd else r for r in records]
    table = provenance_table(Context(collect(suite, every)))
    assert sorted(int(row["how many"].text) for row in table.rows) == [1, 1, 2]
    assert sum(len(row["how many"].records) for row in table.rows) == 4
    told = " ".join(table.notes)
    assert ("not committed" in told) == ("dirty" in changes)
    assert (STALE in told) == ("source_digest" in changes)


def test_days_are_a_range(suite: Suite, records: list[Record]) -> None:
    odd = next(record for record in records if record.kind == "training")
    later = datetime(2026, 2, 3, tzinfo=UTC)
    every = [remade(r, started_at=later) if r is odd else r for r in records]
    rows = texts(provenance_table(Context(collect(suite, every))).rows)
    made_on = {row["what"]: row["made"] for row in rows}
    assert made_on == {"cost": "2026-01-01", "training": "2026-01-01 to 2026-02-03"}


def test_the_data_and_what_their_audit_found(suite: Suite, records: list[Record]) -> None:
    audit = next(a for a in load_all(ROOT / "results") if a.dataset == "breastmnist")
    audits = Audits({"breastmnist": audit})
    table = audit_table(Context(collect(suite, records), audits=audits))
    breast, pneumonia = table.rows
    found = audit.contaminated_test
    assert breast["exact copies in test"].value == len(found.exact) > 0
    assert breast["near copies in test"].value == len(found.near) > 0
    assert breast["near copies in test"].records == ("audit/breastmnist-28",)
    assert breast["commonest class in test (%)"].text == "50.0"
    assert pneumonia["test images"].state == "missing"
    train = f"`python -m bench run {suite.reference}` trains them"
    assert table.notes[0] == f"pneumoniamnist: no run on it is finished; {train}."
    bare = audit_table(Context(collect(suite, records)))
    assert "`python -m bench data breastmnist --audit` does it." in bare.notes[0]
    assert bare.rows[0]["exact copies in test"].state == "missing"
