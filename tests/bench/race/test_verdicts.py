"""A floor is judged by the whole interval."""

from __future__ import annotations

from bench.race.record import judge


def test_verdicts_follow_the_interval() -> None:
    assert judge(1.01, 1.2, 1.0) == "reached"
    assert judge(0.8, 0.99, 1.0) == "missed"
    assert judge(0.9, 1.1, 1.0) == "within noise"
    assert judge(0.9, 1.1, None) == "no floor"
