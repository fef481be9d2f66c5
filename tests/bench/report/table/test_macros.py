"""Numbers to quote: names that LaTeX takes, each of its own, each with its records."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bench.report.table.macros import macro_name, macros
from bench.report.table.model import Cell, Column, Table


def table(*models: str, name: str = "accuracy", text: str = "82.3 ± 3.2") -> Table:
    columns = [
        Column("model", "model", words=True),
        Column("breastmnist ACC (%)", "ACC (%)", group="breastmnist"),
        Column("theirs", "ACC", published=True),
    ]
    rows = [
        {
            "model": Cell(model),
            "breastmnist ACC (%)": Cell(text, 82.3, ("r1", "r2")),
            "theirs": Cell("99", 99.0),
        }
        for model in models
    ]
    return Table(name, "A", columns, rows)


def defined(text: str) -> dict[str, str]:
    return dict(re.findall(r"\\newcommand\{\\([^}]*)\}\{(.*)\}\n", text))


def test_value_and_spread_with_their_records() -> None:
    text = macros([table("medspectralnet")], "s")
    assert defined(text) == {
        "medspectralnetBreastmnistACC": "82.3",
        "medspectralnetBreastmnistACCSpread": "3.2",
    }
    assert "% medspectralnet, breastmnist ACC (%); records r1 r2\n" in text
    interval = defined(macros([table("m", text="-1.7 [-4.3, +7.7]")], "s"))
    assert interval["mBreastmnistACC"] == r"\ensuremath{-}1.7"
    assert interval["mBreastmnistACCSpread"] == r"{[}\ensuremath{-}4.3, +7.7{]}"


def test_digits_are_spelled_and_units_dropped() -> None:
    assert macro_name("vit_tiny_patch16_224") == "VitTinyPatchOneSixTwoTwoFour"
    assert macro_name("ΔACC (points)") == "DeltaACC"
    assert macro_name("größe") == "GroUDFE"  # an accent is dropped, another letter spelled
    assert macro_name("肺") == "UEightZeroBA"


def test_names_that_would_meet_are_told_apart() -> None:
    found = defined(macros([table("a_1", "aOne", "a-1")], "s"))
    assert len(found) == 6
    assert "aOneBreastmnistACCNoTwo" in found


def test_a_number_in_two_tables_is_taken_once() -> None:
    assert len(defined(macros([table("m"), table("m", name="cost")], "s"))) == 2


def test_what_is_missing_has_no_macro() -> None:
    rows = [{"model": Cell("m"), "x": Cell("–", state="missing")}]
    columns = [Column("model", "model", words=True), Column("x", "x")]
    assert not defined(macros([Table("a", "A", columns, rows)], "s"))


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6, unique=True))
def test_every_name_is_letters_alone_and_of_its_own(models: list[str]) -> None:
    text = macros([table(*models)], "s")
    names = re.findall(r"^\\newcommand\{\\([^}]*)\}", text, re.MULTILINE)
    assert len(names) == len(set(names)) == 2 * len(models)
    assert all(re.fullmatch("[A-Za-z]+", name) for name in names)


def test_footnotes_of_a_number_and_of_its_row_stand_above_it() -> None:
    columns = [Column("model", "model", words=True), Column("images/s", "images/s")]
    rows = [
        {"model": Cell("m", marks=(2,)), "images/s": Cell("482", 482.0, ("r1",), (1, 2))},
        {"model": Cell("n"), "images/s": Cell("753", 753.0, ("r2",))},
    ]
    notes = ("Noisy: the machine was loaded.", "Stale: changed since.")
    text = macros([Table("cost", "Cost", columns, rows, notes=notes)], "s")
    assert (
        "% m, images/s; records r1; Stale: changed since; Noisy: the machine was loaded\n" in text
    )
    assert "% n, images/s; records r2\n" in text
