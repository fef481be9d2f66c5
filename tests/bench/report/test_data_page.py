"""The page of the data and its contact sheets, from an audit of planted faults."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.audit_file import DUPLICATES, AuditSpec
from bench.data.audit import read_every_split
from bench.data.dataset import Split
from bench.records.audit import AuditRecord, save
from bench.report.contact_sheet import CELL, COLUMNS, WIDTH, contact_sheet
from bench.report.data_page import (
    data_page,
    pair_rows,
    residual,
    sheet_name,
    split_rows,
    threshold_rows,
    write_data_page,
)
from bench.run.auditing import audited
from bench.toml_file import read_toml
from tests._helpers.audits import dataset, planted


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    data = dataset(planted())
    return audited(data, read_every_split(data), read_toml(DUPLICATES, AuditSpec))


def test_the_page_tells_what_was_planted(record: AuditRecord) -> None:
    text = data_page([record])
    assert "## mine, 14 px" in text
    assert (
        "identical images: 3 group(s), 4 surplus image(s); 2 across splits, 1 of them with the "
        "test split; 2 with two labels"
    ) in text
    assert "near-duplicate images: 2 group(s)" in text
    assert "**4** of 20 (20.0 %); exact (6, 8); near (11, 12)" in text
    assert "of both with another label there (12)" in text
    assert "flat images of test" in text
    assert "(15, 16)" in text
    assert "![mine, 14 px: training images and copies](data/mine_14.png)" in text
    assert "Stale" not in text


def test_tables_of_splits_pairs_and_thresholds(record: AuditRecord) -> None:
    train, _, test = split_rows(record)
    assert train["dark"] == "15 (50.0 %)"
    assert test["constant"] == test["flat"] == "2"
    rows = {row["pairs"]: row for row in pair_rows(record)}
    assert rows["train and test"]["exact"] == "2"
    assert rows["train and test"]["near"] == "1"
    assert rows["train and test"]["of these, two labels"] == "1"
    at = {row["likeness at least"]: row for row in threshold_rows(record)}
    assert at["**0.985**"]["pairs across splits"] == "2"
    assert at["**0.985**"]["what is left"] == "17 %"
    assert residual(0.6) == pytest.approx(0.8)


def test_an_audit_by_other_code_is_marked(record: AuditRecord) -> None:
    made = record.provenance.model_copy(update={"source_digest": "old"})
    assert "**Stale**" in data_page([record.model_copy(update={"provenance": made})])


def test_several_labels_an_image_and_colour_can_be_drawn() -> None:
    splits = {}
    for name, split in planted().items():
        labels = np.stack((split.labels, 1 - split.labels, 0 * split.labels), axis=1)
        splits[name] = Split(name, np.repeat(split.images, 3, axis=3), labels)
    data = replace(
        dataset(splits),
        task="multi-label, binary-class",
        class_names=("dark", "a name so long that it takes several lines of its column", "never"),
    )
    record = audited(data, read_every_split(data), read_toml(DUPLICATES, AuditSpec))
    assert record.exact[0].members[0].label == [0, 1, 0]
    assert split_rows(record)[0]["never"] == "0 (0.0 %)"
    height, width, _ = np.asarray(Image.open(io.BytesIO(contact_sheet(record, splits)))).shape
    assert width == WIDTH
    assert height > 3 * CELL


def test_images_are_credited_with_their_licence(record: AuditRecord) -> None:
    licensed = record.model_copy(update={"licence": "CC BY-NC 4.0"})
    assert "Images: mine of MedMNIST v2 (Yang et al. 2023" in data_page([licensed])
    assert "licence CC BY-NC 4.0.*" in data_page([licensed])
    assert "Images:" not in data_page([record])


def test_sheets_are_named_as_medmnist_names_its_files(record: AuditRecord) -> None:
    assert sheet_name(record.model_copy(update={"source_size": 28})) == "mine.png"
    assert sheet_name(record.model_copy(update={"source_size": 64})) == "mine_64.png"


def test_the_page_is_drawn_from_the_records_alone(record: AuditRecord, tmp_path: Path) -> None:
    assert "No data set is audited here" in write_data_page(tmp_path).read_text()
    save(record, tmp_path)
    page = write_data_page(tmp_path)
    assert page == tmp_path / "reports" / "data.md"
    assert page.read_text() == data_page([record])


def test_the_sheet_shows_each_class_and_each_copy(record: AuditRecord) -> None:
    splits = planted()
    splits["train"].images[::2] = 40  # all of class 0: cells of one grey that is nowhere else
    content = contact_sheet(record, splits)
    assert content == contact_sheet(record, splits)
    sheet = np.asarray(Image.open(io.BytesIO(content)))
    assert sheet.shape[1:] == (WIDTH, 3)
    cells = (sheet == 40).all(axis=2).sum() / CELL**2
    # the row of class 0 (of 15 the first), and the members train 4, 10, 20 among the exact copies
    assert cells == pytest.approx(COLUMNS + 3, abs=0.1)
    assert (sheet == (207, 34, 46)).all(axis=2).any()  # the red frame of contradicting labels
