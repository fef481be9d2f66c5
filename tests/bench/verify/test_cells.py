"""Pages compared cell by cell: what moved is named by row and column."""

from __future__ import annotations

from bench.verify.cells import moved
from bench.verify.finding import differences

PAGE = "# Title\n\nIt is 3.\n\n| model | ACC |\n|:------|----:|\n| a | 1.0 |\n| b \\| c | 2.0 |\n"


def told(was: str, now: str, name: str = "page.md") -> list[str]:
    return [str(finding) for finding in moved(name, was, now)]


def test_equal_pages_have_no_findings() -> None:
    assert not told(PAGE, PAGE)


def test_a_moved_cell_is_named_by_row_and_column() -> None:
    now = PAGE.replace("2.0", "2.5")
    assert told(PAGE, now) == [r"page.md: line 8, b \| c, ACC: was 2.0, is 2.5"]


def test_a_moved_sentence_is_named_by_its_line() -> None:
    now = PAGE.replace("is 3", "is 4")
    assert told(PAGE, now) == ["page.md: line 3: was It is 3., is It is 4."]


def test_a_row_that_is_gone_or_new_is_named() -> None:
    now = PAGE.replace("| a | 1.0 |\n", "")
    assert told(PAGE, now) == ["page.md: line 7: was a | 1.0, is nothing"]
    assert told(now, PAGE) == ["page.md: line 7: was nothing, is a | 1.0"]


def test_wider_columns_alone_move_no_cell() -> None:
    now = PAGE.replace("| a |", "| a   |").replace("|:------|", "|:--------|")
    assert told(PAGE, now) == ["page.md: white space: was other, is as drawn"]


def test_a_cell_of_csv_may_hold_commas() -> None:
    was = 'model,"x, y"\na,"1,5"\n'
    (found,) = told(was, was.replace("1,5", "1,6"), "table.csv")
    assert found == "table.csv: line 2, a, x, y: was 1,5, is 1,6"


def test_a_long_line_is_shown_where_it_differs() -> None:
    (found,) = told("x" * 300 + "1", "x" * 300 + "2")
    assert found.endswith("x1, is …" + "x" * 40 + "2")


def test_nested_values_are_compared_to_the_last_digit() -> None:
    was = {"a": [0.1, {"b": 0.30000000000000004}], "c": None}
    now = {"a": [0.1, {"b": 0.3}], "c": None}
    assert list(differences(was, now, "s")) == [("s.a.1.b", "0.30000000000000004", "0.3")]
    assert list(differences({"a": 1}, {}, "s")) == [("s.a", "1", "None")]
