"""One table in every form: the same words and numbers, escaped as each form asks."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest

from bench.report.footnotes import Footnotes
from bench.report.table.csv import table_csv
from bench.report.table.html import table_html
from bench.report.table.latex import table_latex
from bench.report.table.latex_layout import SIDEWAYS_PT, parts_of, width_pt
from bench.report.table.markdown import notes_markdown, table_markdown
from bench.report.table.model import Cell, Column, Table, columns_of

NAME = "<script>alert('x')</script> & a|b_c"
TABLE = Table(
    "t",
    "A title & more",
    [
        Column("model", "model", words=True),
        Column("d acc", "ACC (%)", group="d"),
        Column("d auc", "AUC (%)", group="d"),
        Column("theirs", "ACC (%)", group="published", published=True),
    ],
    [
        {
            "model": Cell(NAME, marks=(1,)),
            "d acc": Cell("82.3 ± 3.2", 82.25, ("r1", "r2"), best=True),
            "d auc": Cell("–", None, ("r1",), (2,), state="missing"),
            "theirs": Cell("90", 90.0),
        },
        {"model": Cell("m"), "d acc": Cell("-1.5", -1.5, ("r3",), state="stale")},
    ],
    read="Read `this` **first**.",
    notes=["Of <one> & *it*.", "Why."],
    legend=["**Bold**: best."],
)


def test_markdown_keeps_cells_apart_and_numbers_notes_over_the_page() -> None:
    notes = Footnotes()
    notes.number("Earlier.")
    text = table_markdown(TABLE, notes)
    header, _, first, second = text.splitlines()[:4]
    assert [cell.strip() for cell in header.split("|")[1:-1]] == [
        *("model", "d ACC (%)", "d AUC (%)"),
        "published ACC (%)",
    ]
    assert r"a\|b_c [2]" in first
    assert "**82.3 ± 3.2**" in first
    assert "– [3]" in first
    assert second.count("–") == 2  # a cell that does not apply
    assert notes_markdown(notes).splitlines()[1].strip() == "[2] Of <one> & *it*."


def test_csv_has_the_number_behind_a_text_and_the_rows_notes_and_records() -> None:
    first, second = csv.DictReader(io.StringIO(table_csv(TABLE)))
    assert first["d acc"] == "82.3 ± 3.2"
    assert float(first["d acc value"]) == 82.25
    assert "theirs value" not in first
    assert first["notes"] == "Of <one> & *it*. Why."
    assert first["records"] == "r1 r2"
    assert (second["d auc"], second["notes"], second["records"]) == ("–", "–", "r3")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_accessible_and_obeys_no_name() -> None:
    page = Tags()
    page.feed(table_html(TABLE, "s"))
    names = [tag for tag, _ in page.tags]
    assert "script" not in names
    assert names.count("caption") == 1
    assert names.count("strong") == 3  # read, legend, the best
    scopes = [attrs.get("scope") for tag, attrs in page.tags if tag == "th"]
    assert None not in scopes
    assert (scopes.count("row"), scopes.count("col"), scopes.count("colgroup")) == (2, 4, 2)
    assert NAME in page.text
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    links = [str(attrs["href"]) for tag, attrs in page.tags if tag == "a"]
    assert links == ["#note-1", "#note-2"]
    assert {link[1:] for link in links} <= ids
    held = {a.get("data-records"): a.get("data-value") for _, a in page.tags if "data-records" in a}
    assert held["r1 r2"] == "82.25"
    stale = next(attrs for _, attrs in page.tags if attrs.get("title") == "stale")
    assert stale["class"] == "stale"


def test_latex_has_rules_under_spanners_bold_and_footnotes() -> None:
    text = table_latex(TABLE, "s_1")
    assert r"\cmidrule(lr){2-3}\cmidrule(lr){4-4}" in text
    assert r"\multicolumn{2}{c}{d}" in text
    assert r"\textbf{82.3 \ensuremath{\pm} 3.2}" in text
    assert r"\tnote{1}" in text
    assert r"\item[1] Of \ensuremath{<}one\ensuremath{>} \& \emph{it}." in text
    assert r"\label{tab:s_1-t}" in text
    assert r"\caption{A title \& more, suite \texttt{s\_1}}" in text


def wide(groups: int, rows: int = 3, name: str = "m") -> Table:
    keys = {f"g{g} c{c}": f"g{g}" for g in range(groups) for c in range(4)}
    row = {"model": Cell(name, marks=(1,))} | {
        key: Cell("82.3 ± 3.2", 1.0, marks=(2,) if key == f"g{groups - 1} c0" else ())
        for key in keys
    }
    columns = columns_of([row], words=["model"], groups=keys)
    return Table("w", "Wide", columns, [row] * rows, notes=["One.", "Two."])


def test_a_table_is_upright_or_sideways_or_cut_between_groups() -> None:
    (upright,) = parts_of(wide(2))
    assert not upright.sideways
    (sideways,) = parts_of(wide(3))
    assert sideways.sideways
    parts = parts_of(wide(9))
    assert len(parts) > 1
    shown = [laid.column.key for part in parts for laid in part.columns]
    assert shown.count("model") == len(parts)  # repeated
    assert len(shown) - len(parts) == 36  # nothing lost, nothing twice
    for part in parts:
        groups = [laid.column.group for laid in part.columns if laid.column.group]
        assert all(groups.count(group) == 4 for group in groups)
        assert 0 < len(groups) * width_pt("82.3 ± 3.2") < SIDEWAYS_PT
    text = table_latex(wide(9), "s")
    assert text.count(r"\toprule") == len(parts)
    assert f"(1 of {len(parts)})" in text
    assert text.count("Two.") == 1  # only where its mark stands
    assert text.count("One.") == len(parts)


def test_a_long_table_goes_over_pages_and_repeats_its_head() -> None:
    text = table_latex(wide(1, rows=90), "s")
    assert r"\begin{longtable}" in text
    assert r"\endhead" in text
    assert "threeparttable}" not in text.partition("\n\n")[2]
    assert text.count(r"\textsuperscript{1}") == 91


def test_what_every_row_says_is_said_once() -> None:
    rows = [
        {"model": Cell(name), "measured on": Cell("one machine of some kind"), "n": Cell("1", 1.0)}
        for name in "ab"
    ]
    table = Table("a", "A", columns_of(rows, words=["model", "measured on"]), rows)
    text = table_latex(table, "s")
    assert "In every row: measured on one machine of some kind." in text
    assert text.count("one machine") == 1


@pytest.mark.parametrize("draw", [table_latex, table_html])
def test_a_table_without_rows_says_why(draw: object) -> None:
    assert callable(draw)
    empty = Table("e", "Empty", [], [], empty="No run: `python -m bench run x` makes them.")
    assert re.search(r"python -(\\allowbreak\{\})?m bench run x", draw(empty, "s"))
    assert table_csv(empty) == ""
    assert table_markdown(empty, Footnotes()) == empty.empty


@pytest.mark.parametrize("name", ["notes", "records"])
def test_no_column_hides_the_notes_or_records_of_the_csv(name: str) -> None:
    table = Table("t", "T", [Column(name, name)], [{name: Cell("9", 9.0, ("r1",))}])
    with pytest.raises(ValueError, match=f"a column '{name}' of its own"):
        table_csv(table)
