"""Numbers as they are drawn."""

from __future__ import annotations

import pytest

from bench.report.text import (
    BLANK,
    duration,
    escape,
    giga,
    millions,
    percent,
    points,
    published_percent,
    rate,
    sentence,
)


def test_mean_and_sample_standard_deviation() -> None:
    assert percent([0.8, 0.9]) == "85.0 ± 7.1"  # sd of two values: |a − b| / √2
    assert percent([0.872]) == "87.2"
    assert percent([]) == BLANK
    assert points([-0.01, 0.02]) == "+0.5 ± 2.1"
    assert points([-0.013]) == "-1.3"
    assert points([-0.0001]) == "+0.0"


@pytest.mark.parametrize(
    ("count", "text"), [(1_900_000, "0.0019"), (760_000_000, "0.76"), (0, "0"), (120e9, "120")]
)
def test_a_tiny_network_does_not_have_zero_macs(count: int, text: str) -> None:
    assert giga(int(count)) == text


def test_published_digits_are_kept() -> None:
    assert published_percent("0.980") == "98.0"
    assert published_percent("0.9485") == "94.85"
    assert published_percent("0.89") == "89"
    assert published_percent("") == BLANK


def test_other_forms() -> None:
    assert millions(8_493_121) == "8.49"
    assert rate(1234.5) == "1234"
    assert rate(9.876) == "9.88"
    assert escape("a|b\n c") == r"a\|b c"
    assert escape("<class 'int'>, </b>, <!-- x") == r"\<class 'int'>, \</b>, \<!-- x"
    assert escape("p < 0.05, <5, a<=b") == "p < 0.05, <5, a<=b"  # no tags
    assert [duration(s) for s in (None, 12.4, 200, 3900)] == [
        "unknown",
        "12 s",
        "3 min 20 s",
        "1 h 05 min",
    ]


def test_a_note_becomes_a_sentence() -> None:
    assert sentence("times were still changing") == "Times were still changing."
    assert sentence("Done.") == "Done."
