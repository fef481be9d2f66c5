"""``python -m bench race``: what it does without timing anything."""

from __future__ import annotations

from pathlib import Path

from bench.race.file import known_races
from tests.bench.conftest import Command


def test_a_page_is_drawn_from_the_races_there_are_and_nothing_is_timed(
    bench: Command, results: Path
) -> None:
    said = bench("race", "--draw")
    assert said.code == 0
    page = (results / "reports" / "races.md").read_text()
    assert said.out.strip().endswith("races.md")
    assert all(f"## {name}" in page for name in known_races())
    assert page.count("*Not measured here*") == len(known_races())
    assert not (results / "races").exists()
