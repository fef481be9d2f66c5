"""Text as LaTeX: nothing lost, nothing that LaTeX would obey, places to break where names may."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.table.latex_layout import wrap
from bench.report.table.latex_text import inline, latex, number, pieces


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a_b % & # $ { }", r"a\_b \% \& \# \$ \{ \}"),
        ("~ ^ \\", r"{\textasciitilde} {\textasciicircum} {\textbackslash}"),
        ("82.3 ± 3.2", r"82.3 \ensuremath{\pm} 3.2"),
        ("a – b × c", r"a {\textendash} b {\texttimes} c"),
        ("größer", r"gr\"o{\ss}er"),
        ("肺", r"\benchchar{肺}{U+80BA}"),
        ("Ж", r"\benchchar{Ж}{U+0416}"),  # its macro needs an encoding that few documents load
        ("--full [1]|", r"-{}-full {[}1{]}\textbar{}"),
        ("two\n lines", "two lines"),
    ],
)
def test_characters(text: str, made: str) -> None:
    assert latex(text) == made


def test_a_hyphen_before_a_digit_is_a_minus_sign_in_numbers_alone() -> None:
    minus = r"\ensuremath{-}"
    assert number("-1.7 [-4.3, +7.7]") == rf"{minus}1.7 {{[}}{minus}4.3, +7.7{{]}}"
    assert number("p-5") == "p-5"
    assert latex("-1.7") == "-1.7"


def test_markdown_inside_a_line() -> None:
    assert inline("**Bold** of `a_b`, *not* <b>") == (
        r"\textbf{Bold} of \texttt{a\_\allowbreak{}b}, \emph{not} \ensuremath{<}b\ensuremath{>}"
    )
    assert inline("2*3 a_b_c 100 % [x](y)").startswith(r"2*3 a\_\allowbreak{}b")


HARD = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


@given(HARD)
def test_no_special_character_is_left_and_braces_match(text: str) -> None:
    made = latex(text)
    bare = re.sub(r"\\[a-zA-Z]+|\\.", "", made)
    assert not set("#$%&_^~") & set(re.sub(r"\\benchchar\{.\}", "", bare))
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", made.replace(r"\\", "")):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


@given(st.text("ab_/.-,:= 12", max_size=60), st.integers(3, 20))
def test_pieces_are_the_text_and_none_is_longer_than_allowed(text: str, longest: int) -> None:
    flat = " ".join(text.split())
    assert "".join(pieces(flat, longest)) == flat
    assert all(len(word) <= longest for piece in pieces(flat, longest) for word in piece.split())
    lines = wrap(flat, longest)
    assert all(len(line) <= longest for line in lines)
    assert "".join(lines).replace(" ", "") == flat.replace(" ", "")
