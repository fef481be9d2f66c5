"""Scores without contaminated test images: recomputed from the predictions, told in the tables."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.audit_file import DUPLICATES, AuditSpec
from bench.data.audit import read_every_split
from bench.evaluation.scores import score
from bench.records.audit import AuditRecord, ContaminatedTest
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.accuracy import accuracy_table
from bench.report.audits import NO_AUDITS, audit_lines, audits_for
from bench.report.collect import collect
from bench.report.context import Context
from bench.report.tables import write_tables
from bench.run.auditing import audited
from bench.suite import Suite, load_suite
from bench.toml_file import read_toml
from tests._helpers.audits import dataset, planted
from tests._helpers.tables import texts
from tests.bench.report.test_tables import SUITE, training

LEFT_OUT = [6, 8, 11, 12]  # the copies planted in the test split of 20


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "made.toml"
    path.write_text(SUITE)
    return load_suite(str(path))


@pytest.fixture(scope="module")
def audit() -> AuditRecord:
    data = dataset(planted())
    made = audited(data, read_every_split(data), read_toml(DUPLICATES, AuditSpec))
    return made.model_copy(
        update={"dataset": "breastmnist", "checksum": "md5:1", "source_size": 28}
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def labels() -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return (np.arange(20) % 2).astype(np.int64)


def logits() -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
    """Right on the copies alone and on every other second image: without them, half are right."""
    right = np.zeros(20, dtype=bool)
    right[LEFT_OUT] = True
    rest = [image for image in range(20) if image not in LEFT_OUT]
    right[rest[::4]] = right[rest[1::4]] = True
    rng = np.random.default_rng(0)
    towards = np.where(right, labels(), 1 - labels())
    return np.stack((-(towards * 2 - 1), towards * 2 - 1), 1).astype(np.float16) + rng.normal(
        0, 0.1, (20, 2)
    ).astype(np.float16)


def with_stored(suite: Suite, store: Store) -> list[Record]:
    records = []
    for cell in suite.cells:
        record = training(suite, cell, 0.6)
        arrays: dict[str, Any] = {"test_logits": logits(), "test_labels": labels().astype(np.uint8)}
        content = store.save_predictions(record.id, arrays)
        sha = hashlib.sha256(content).hexdigest()
        assert record.training is not None
        result = record.training.model_copy(update={"predictions_sha256": sha})
        records.append(record.model_copy(update={"training": result}))
    return records


def test_scores_leave_exactly_the_contaminated_images_out(
    suite: Suite, store: Store, audit: AuditRecord
) -> None:
    collected = collect(suite, with_stored(suite, store))
    found = audits_for(collected, [audit], store)
    assert set(found.by_name) == set(found.by_name) == {"breastmnist", "retinamnist"}
    keep = np.setdiff1d(np.arange(20), LEFT_OUT)
    expected = score(logits()[keep], labels()[keep], "binary-class", ("a", "b"))
    assert len(keep) == 16
    assert expected.acc == 0.5
    for record in collected.records:
        assert found.without[record.id].acc == expected.acc
        assert found.without[record.id].auc == expected.auc
        assert found.without[record.id].images == 16


def rows(suite: Suite, store: Store, audits: list[AuditRecord]) -> list[dict[str, str]]:
    collected = collect(suite, with_stored(suite, store))
    context = Context(collected, audits=audits_for(collected, audits, store))
    return texts(accuracy_table(context).rows)


def test_the_table_shows_them_beside_the_whole_split(
    suite: Suite, store: Store, audit: AuditRecord
) -> None:
    for row in rows(suite, store, [audit]):
        assert row["breastmnist ACC (%)"] == "60.0 ± 0.0"
        assert row["breastmnist ACC without 4 test copies (%)"] == "50.0 ± 0.0"
        assert "breastmnist AUC without 4 test copies (%)" in row


def test_an_audit_of_other_bytes_or_another_size_says_nothing(
    suite: Suite, store: Store, audit: AuditRecord
) -> None:
    for other in ({"checksum": "md5:2"}, {"source_size": 64}):
        for row in rows(suite, store, [audit.model_copy(update=other)]):
            assert not any("without" in name for name in row)


def test_an_audit_without_contamination_adds_no_column_but_a_line(
    suite: Suite, store: Store, audit: AuditRecord
) -> None:
    none = ContaminatedTest(exact=[], near=[], labels_differ=[])
    clean = audit.model_copy(update={"contaminated_test": none})
    assert not any("without" in name for row in rows(suite, store, [clean]) for name in row)
    collected = collect(suite, with_stored(suite, store))
    lines = audit_lines(collected, audits_for(collected, [clean], store))
    assert lines[0] == ("breastmnist: its audit finds no test image with a copy in train or val.")


def test_without_an_audit_there_is_a_line_on_how_to_make_it(
    suite: Suite, store: Store, audit: AuditRecord, tmp_path: Path
) -> None:
    records = with_stored(suite, store)
    write_tables(suite, records, tmp_path / "none")
    text = (tmp_path / "none" / "accuracy.md").read_text()
    assert "`python -m bench data breastmnist --audit` does it." in text
    assert "without" not in text.splitlines()[6]
    collected = collect(suite, records)
    audits = audits_for(collected, [audit], store)
    write_tables(suite, records, tmp_path / "some", audits=audits)
    text = (tmp_path / "some" / "accuracy.md").read_text()
    assert "ACC without 4 test copies (%)" in text
    assert (
        "breastmnist: its audit finds 4 test images with a copy in train or val (2 exact, 2 near, "
        "1 of them with another label there)"
    ) in text
    # the hand-made record says one of 100; of the 16 others nine are of class b
    assert "is right on 1.0 % of all test images and on 56.2 % of those without a copy" in text
    assert audit_lines(collect(suite, []), NO_AUDITS) == []  # nothing shown, nothing to say
