"""The comparison in brief: the scores of the whole table, and what it leaves out is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.audit_file import DUPLICATES, AuditSpec
from bench.data.audit import read_every_split
from bench.records.schema import Record
from bench.report.accuracy import accuracy_table
from bench.report.audits import Audits
from bench.report.brief import BRIEF, brief_table
from bench.report.collect import collect
from bench.report.context import Context
from bench.report.published import Published, published_for, read_published
from bench.report.readme import MARKER, embed_in_file
from bench.report.table.model import Table
from bench.run.auditing import audited
from bench.suite import Suite, load_suite
from bench.toml_file import read_toml
from tests._helpers.audits import dataset, planted
from tests._helpers.tables import texts
from tests.bench.report.test_tables import SUITE, training


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "made.toml"
    path.write_text(SUITE)
    return load_suite(str(path))


def records(suite: Suite) -> list[Record]:
    """Every run but resnet18's second seed on RetinaMNIST."""
    cells = [c for c in suite.cells if (c.model.name, c.dataset.name, c.seed) != LACKING]
    return [training(suite, cell, 0.6 + 0.1 * cell.seed) for cell in cells]


LACKING = ("resnet18", "retinamnist", 1)


def drawn(suite: Suite, audits: Audits | None = None) -> Table:
    published: dict[tuple[str, str], list[Published]] = published_for(suite, read_published())
    context = Context(collect(suite, records(suite)), published)
    return brief_table(context if audits is None else Context(context.collected, audits=audits))


def test_its_scores_are_those_of_the_whole_table(suite: Suite) -> None:
    whole = texts(accuracy_table(Context(collect(suite, records(suite)))).rows)
    brief = texts(drawn(suite).rows)
    scores = [key for key in brief[0] if "ACC" in key or "AUC" in key]
    assert scores == [f"{n} {s} (%)" for n in (*NAMES, "mean") for s in ("ACC", "AUC")]
    assert [[row[key] for key in scores] for row in brief] == [
        [row[key] for key in scores] for row in whole
    ]


NAMES = ("breastmnist", "retinamnist")


def test_seeds_are_one_column_and_told_apart_where_they_differ(suite: Suite) -> None:
    table = drawn(suite)
    assert [row["seeds"].text for row in table.rows] == ["2", "2", "2 / 1"]
    assert [column.key for column in table.columns if "seeds" in column.key] == ["seeds"]
    done = [record for record in records(suite) if "resnet18" in record.spec.label]
    clean = {record.id for record in done if "blur" not in record.spec.label}
    assert set(table.rows[2]["seeds"].records) == clean
    assert any("breastmnist / retinamnist" in line for line in table.legend)
    assert "[" in table.rows[2]["retinamnist ACC (%)"].text  # and what the brackets are:
    assert any("Wilson interval" in line for line in table.legend)


def test_it_quotes_nobody_and_says_where_they_are_quoted(suite: Suite) -> None:
    table = drawn(suite)
    assert not any(column.published for column in table.columns)
    assert not any("Published" in note for note in table.notes)
    assert any("published by others: in the whole table" in line for line in table.legend)


def test_what_the_commonest_class_scores_is_counted_from_the_images(suite: Suite) -> None:
    balanced = [
        record.model_copy(
            update={"training": record.training.model_copy(update={"test": counted(record, 70)})}
        )
        for record in records(suite)
        if record.training is not None
    ]
    legend = brief_table(Context(collect(suite, balanced))).legend
    told = "Always naming the commonest class is right on: breastmnist 70.0 %, retinamnist 70.0 %."
    assert told in legend
    # the supports of the hand-made scores do not add up to their images: then nothing is said
    assert not any("Always naming" in line for line in drawn(suite).legend)


def counted(record: Record, of_first: int) -> object:
    assert record.training is not None
    test = record.training.test
    first, second = test.per_class[0], test.per_class[-1]
    classes = [
        first.model_copy(update={"support": of_first}),
        second.model_copy(update={"support": test.images - of_first}),
    ]
    return test.model_copy(update={"per_class": classes})


def test_copies_are_told_though_their_columns_are_left_out(suite: Suite) -> None:
    data = dataset(planted())
    audit = audited(data, read_every_split(data), read_toml(DUPLICATES, AuditSpec))
    table = drawn(suite, Audits({"breastmnist": audit}))
    assert "breastmnist: 4 of its test images have a copy in train or val." in table.legend
    assert not any("without" in column.key for column in table.columns)
    # of the other set nobody looked: that is said, and not that there are none
    assert "retinamnist: not audited for copies across splits." in table.legend
    assert not any("have a copy" in line for line in drawn(suite).legend)


def test_a_document_gets_the_form_it_has_a_place_for(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"<!-- table: cpu{BRIEF} -->\nold\n<!-- /table -->\n")
    forms = {"cpu": lambda: "whole", f"cpu{BRIEF}": lambda: "short"}
    text = embed_in_file(page, forms)
    assert [word in text for word in ("short", "whole", "old")] == [True, False, False]
    assert MARKER.findall(text) == [f"cpu{BRIEF}"]
    page.write_text("as `<!-- table: cpu -->` says\n" + page.read_text())
    assert MARKER.findall(page.read_text()) == [f"cpu{BRIEF}"]  # words on markers are none
    both = page.read_text() + "<!-- table: cpu -->\nold\n<!-- /table -->\n"
    page.write_text(both)
    text = embed_in_file(page, forms)
    assert [word in text for word in ("short", "whole", "old")] == [True, True, False]
