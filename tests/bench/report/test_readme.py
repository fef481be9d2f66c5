"""The README's table is the one that the committed records give."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.records.store import Store
from bench.report.readme import embed, embed_in_file
from bench.report.tables import main_table
from bench.suite import load_suite

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"


def test_a_table_is_put_between_its_markers_and_nowhere_else() -> None:
    text = (
        "a\n<!-- table: x -->\nold\n<!-- /table -->\nb\n<!-- table: y -->\nkept\n<!-- /table -->\n"
    )
    done = embed(text, "x", r"| 1 \| 2 |")
    assert done == text.replace("old", r"| 1 \| 2 |")
    with pytest.raises(ValueError, match="no <!-- table: z -->"):
        embed(text, "z", "t")


def test_a_file_without_a_place_for_the_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("nothing")
    with pytest.raises(InputError, match=r"page\.md: no <!-- table: x -->"):
        embed_in_file(tmp_path / "page.md", "x", "t")


def test_every_table_of_the_readme_equals_the_one_drawn_from_committed_records() -> None:
    text = README.read_text(encoding="utf-8")
    suites = re.findall(r"<!-- table: (\w+) -->", text)
    assert suites
    listed = subprocess.run(
        ["git", "ls-files", "results/records/*.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    store = Store(ROOT / "results")
    records = [store.load(Path(line).stem) for line in listed.stdout.splitlines()]
    for name in suites:
        table = main_table(load_suite(name), [record for record in records if record])
        assert embed(text, name, table) == text, f"python -m bench report {name} --embed README.md"
