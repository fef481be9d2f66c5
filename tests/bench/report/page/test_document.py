"""The page as HTML: self-contained, every number a link to its record, nothing gets out."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bench.report.page.blocks import Block, Part, blocks, tables_in
from bench.report.page.content import Section
from bench.report.page.document import document
from bench.report.page.environment import SCRIPTS, asset, policy
from bench.report.page.prose import paragraphs, sentence
from bench.report.table.model import Cell, Column, Table
from tests._helpers.html import Structure
from tests.bench.report.page.made import CLASS, EVIL, LONG, content, table


@pytest.fixture(scope="module")
def text() -> str:
    return document(content())


@pytest.fixture(scope="module")
def page(text: str) -> Structure:
    return Structure(text)


def test_the_page_is_whole_and_fetches_nothing(text: str, page: Structure) -> None:
    assert text.startswith("<!doctype html>")
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    assert not page.tags & {"link", "iframe", "object", "base", "form"}
    assert all("src" not in given for given in page.of("script"))
    for given in page.of("img"):
        assert (given["src"] or "").startswith("data:")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert [a for a in page.addresses if re.match(r"[a-z]+:|//", a) and a[:5] != "data:"] == []


def test_every_link_on_the_page_has_its_target(page: Structure) -> None:
    links = [address for address in page.addresses if address.startswith("#")]
    assert len(links) > 20
    assert {address[1:] for address in links} <= set(page.ids)


def test_every_cell_with_records_is_a_link_to_them(page: Structure) -> None:
    wanted = [c.records for row in table().rows for c in row.values() if c.records]
    links = [given for given in page.of("a") if "data-r" in given]
    order = ["r1", "r2", "r3", "r4", "audit/x-28"]
    found = [
        tuple(order[int(number) - 1] for number in (given["data-r"] or "").split())
        for given in links
    ]
    assert [*wanted, ("r1", "r3"), ("r4",)] == found
    for given, records in zip(links, found, strict=True):
        assert given["href"] == "#record-" + records[0].replace("/", "-")
    cards = [given["data-n"] for given in page.of("details") if "data-n" in given]
    assert cards == ["1", "2", "3", "4", "5"]


def test_only_the_pages_own_scripts_may_run(text: str) -> None:
    (allowed,) = [
        given["content"] or ""
        for given in Structure(text).of("meta")
        if given.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in allowed
    bodies = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(bodies) == len(SCRIPTS)
    for body in bodies:
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in allowed
    assert "script-src 'none'" in policy()


def test_what_a_record_says_cannot_break_out(text: str, page: Structure) -> None:
    assert len(page.of("script")) == len(SCRIPTS)
    assert EVIL not in text
    assert EVIL in page.text
    assert CLASS in page.text
    assert LONG in page.text


def test_states_are_said_in_words(page: Structure) -> None:
    rows = page.text[page.text.index("params (M)") : page.text.index("Second, with")]
    for word in ("stale", "noisy", "missing", "does not apply", "best or not told apart"):
        assert word in rows, word
    stale = document(content(sections=[])).count('class="pill stale"')
    assert stale == 2  # the key and the card


def test_the_state_of_words_is_told_once_a_row_and_of_numbers_at_each() -> None:
    columns = [Column("a", "a", words=True), Column("b", "b", words=True), Column("c", "c")]
    row = {name: Cell("1", 1.0, state="stale") for name in "abc"}
    fresh = {name: Cell("1", 1.0, state="stale" if name == "b" else "shown") for name in "abc"}
    for cells, told in ((row, 2), (fresh, 1)):
        one = Table("one", "One", columns, [cells])
        shown = content(sections=[Section("one", "One", [Block(table=one)])], cards=[], shared=[])
        shown = replace(shown, pictures=[], missing=[])
        assert document(shown).count('class="pill stale"') == 1 + told  # the key says it once


def test_cells_are_sorted_by_their_numbers_and_blanks_have_none(page: Structure) -> None:
    given = [attributes for tag, attributes in page.elements if tag in ("td", "th")]
    keys = [one["data-order"] for one in given if "data-order" in one]
    assert keys[:10] == ["beta", "9.5", "80.0", "3.1", "", LONG, "", "", "-12.0", "77.1"]
    assert [one["data-type"] for one in page.of("th") if "data-type" in one] == [
        "words",
        *["value"] * 4,
    ]


def test_headings_go_down_one_step_at_a_time_and_name_their_sections(page: Structure) -> None:
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    titles = [said for _, said in page.headings]
    assert titles.count("Accuracy") == 1  # the table says it no second time
    named = [given["aria-labelledby"] for given in page.of("section")]
    assert all(set((name or "").split()) <= set(page.ids) for name in named)


def test_a_table_without_rows_says_why(page: Structure) -> None:
    assert "Nothing here" in page.text
    assert page.text.count("No.") == 1
    assert len(page.of("table")) == 1


def test_a_page_without_anything_says_so() -> None:
    bare = Structure(
        document(
            content(
                tallies=[],
                sections=[],
                pictures=[],
                not_drawn=[],
                claims=[],
                missing=[],
                cards=[],
                shared=[],
            )
        )
    )
    for said in (
        "No figure can be drawn",
        "None of the claims looks into this suite",
        "Nothing: every run and cost",
        "No record is shown",
    ):
        assert said in bare.text


def test_a_record_that_has_no_card_is_an_error_not_a_dead_link() -> None:
    with pytest.raises(KeyError):
        document(content(cards=[]))


def test_markdown_of_records_stays_text() -> None:
    for made in (paragraphs, sentence):
        shown = made(f"a `b_c` *d* {EVIL} ![x](http://x/y.png) [z](javascript:alert(1))\n\n# e")
        assert "<em>d</em>" in shown
        assert "<code>b_c</code>" in shown
        for tag in ("<script", "<img", "<h1", 'href="javascript'):
            assert tag not in shown, tag


def test_blocks_fit_a_documents_headings_below_the_pages() -> None:
    one = Table("one", "One", [Column("a", "a")], [{"a": Cell("1")}])
    two = Table("two", "Two", [Column("a", "a")], [])
    three = Table("three", "Deeper: three", [Column("a", "a")], [])
    deeper = "### Deeper\n\nText.\n\n- a\n- b"
    parts: list[Part] = ["# Own: suite `x`\n\nabout", "## One", one, deeper, two, three]
    found = blocks("Own", parts, ["about"])
    assert [(block.level, block.heading or block.text) for block in found] == [
        (3, "One"),
        (0, ""),
        (4, "Deeper"),
        (0, "Text."),
        (0, "- a\n- b"),
        (5, ""),
        (0, ""),
    ]
    assert tables_in(found) == [one, two, three]


def test_an_asset_that_would_end_its_element_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bad.js").write_text("'</script>'")
    monkeypatch.setattr("bench.report.page.environment.ASSETS", tmp_path)
    with pytest.raises(ValueError, match=r"bad\.js would end the element"):
        asset("bad.js")
