"""Where the pages of a results folder go."""

from __future__ import annotations

from pathlib import Path

from bench.toml_file import ROOT


def reports_folder(results: Path) -> Path:
    """The project's ``reports/`` for its own results; another results folder keeps its own."""
    return ROOT / "reports" if results == ROOT / "results" else results / "reports"
