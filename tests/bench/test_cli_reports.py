"""Where documents go: those of another results folder never over the project's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.report.tables import own_folder
from bench.suite import load_suite
from bench.toml_file import ROOT
from tests.bench.conftest import Command


def test_a_results_folder_has_documents_of_its_own(tmp_path: Path) -> None:
    suite = load_suite("breast")
    assert own_folder(suite, ROOT / "results") == ROOT / "reports" / "breast"
    assert own_folder(suite, tmp_path) == tmp_path / "reports" / "breast"


@pytest.mark.parametrize("command", ["report", "figures", "page"])
def test_nothing_is_written_beside_the_results_that_are_asked_for(
    bench: Command, suite_file: Path, results: Path, command: str
) -> None:
    said = bench(command, suite_file)
    assert said.code == 0
    written = [Path(line) for line in said.out.splitlines()]
    assert written
    assert all(path.is_relative_to(results / "reports" / "mine") for path in written)
    assert all(path.is_file() for path in written)
    assert not (ROOT / "reports" / "mine").exists()
