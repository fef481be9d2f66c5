"""The record of an audit, on planted faults and on the real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.audit_file import DUPLICATES, AuditSpec
from bench.data import medmnist
from bench.data.audit import read_every_split
from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.provenance import audit_digest
from bench.records.audit import AuditRecord, load_all, save
from bench.run.auditing import audited
from bench.toml_file import read_toml
from tests._helpers.audits import dataset, planted

SPEC = read_toml(DUPLICATES, AuditSpec)


def made(data: Dataset) -> AuditRecord:
    return audited(data, read_every_split(data), SPEC)


def test_the_record_holds_split_index_and_label_of_each_member() -> None:
    data = dataset(planted())
    record = made(data)
    assert [(m.split, m.index, m.label) for m in record.exact[1].members] == [
        ("train", 10, 0),
        ("test", 6, 0),
        ("test", 8, 0),
    ]
    assert record.contaminated_test.images == [6, 8, 11, 12]
    assert [split.per_class for split in record.splits] == [[15, 15], [6, 6], [10, 10]]
    assert record.checksum == "sha256:1"
    assert {pair.splits: pair.exact for pair in record.pairs}["train", "test"] == 2


def test_a_record_is_kept_and_read_back(tmp_path: Path) -> None:
    record = made(dataset(planted()))
    assert save(record, tmp_path) == tmp_path / "audit" / "mine-14.json"
    assert load_all(tmp_path) == [record]
    assert record.provenance.source_digest == audit_digest()


def test_damaged_and_renamed_records_are_refused(tmp_path: Path) -> None:
    path = save(made(dataset(planted())), tmp_path)
    path.rename(path.with_name("other-14.json"))
    with pytest.raises(InputError, match=r"it is of mine-14; make it anew: .* data other --audit"):
        load_all(tmp_path)
    path.with_name("other-14.json").write_text('{"exact": 1}')
    with pytest.raises(InputError, match="damaged record"):
        load_all(tmp_path)


@pytest.mark.real_data
def test_breastmnist_has_one_image_in_two_splits_with_two_labels(medmnist_root: Path) -> None:
    record = made(medmnist.load("breastmnist", 28))
    (group,) = record.exact
    assert group.labels_differ
    assert len({member.split for member in group.members}) == len(group.members) == 2


@pytest.mark.real_data
def test_pneumoniamnist_has_its_27_groups_of_exact_copies(medmnist_root: Path) -> None:
    record = made(medmnist.load("pneumoniamnist", 28))
    assert len(record.exact) == 27
    assert sum(len(group.members) - 1 for group in record.exact) == 29
    splits = [{member.split for member in group.members} for group in record.exact]
    assert [found for found in splits if len(found) > 1] == [{"train", "val"}] * 8
    assert record.contaminated_test.exact == []
