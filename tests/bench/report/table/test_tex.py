"""Every table of a suite with planted difficulties, compiled: `make test-tex`."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.report.references import load_references
from bench.report.table.latex import all_tables, table_latex
from bench.report.tables import write_tables
from tests._helpers.difficult import difficult_store, difficult_suite
from tests.bench.report.table.test_forms import wide

pytestmark = pytest.mark.tex
LONG = "x_" * 30  # 60 characters


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All forms of the difficult suite's tables, with others that go sideways or over pages."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is missing (Debian, Ubuntu: apt install texlive-latex-extra)")
    folder = tmp_path_factory.mktemp("tex")
    suite = difficult_suite(folder)
    store = difficult_store(folder, suite)
    write_tables(suite, store.all(), folder / "drawn", store=store)
    write_tables(suite, [], folder / "empty", store=store)
    drawn = folder / "drawn"
    for number, table in enumerate(
        [wide(3), wide(9, name=LONG), wide(1, rows=90), wide(3, rows=60, name=LONG)]
    ):
        (drawn / f"wide-{number}.tex").write_text(table_latex(table, f"suite_{number}"))
    for path in sorted((folder / "empty").glob("*.tex")):
        text = path.read_text().replace(r"\label{tab:", r"\label{tab:empty-")
        (drawn / f"empty-{path.name}").write_text(text)
    names = sorted(
        path.name for path in drawn.glob("*.tex") if not path.stem.endswith(("tables", "macros"))
    )
    assert len(names) > 20
    (drawn / "every.tex").write_text(all_tables(names))
    return drawn


def compiled(folder: Path, name: str, program: str = "pdflatex", times: int = 2) -> str:
    """The log of the last of ``times`` runs."""
    command = [program, "-interaction=nonstopmode", "-halt-on-error", name]
    for _ in range(times):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        log = (folder / name).with_suffix(".log").read_text(errors="replace")
        assert done.returncode == 0, log[-3000:]
    return log


def test_every_table_compiles_and_fits(folder: Path) -> None:
    log = compiled(folder, "every.tex", times=3)
    assert not re.findall(r"Overfull \\hbox \((?:[2-9]|\d\d+)\.", log), log
    assert "multiply defined" not in log
    assert "Missing character" not in log


def test_lualatex_takes_them_too(folder: Path) -> None:
    if shutil.which("lualatex") is None:
        pytest.skip("lualatex is missing (Debian, Ubuntu: apt install texlive-luatex)")
    for suffix in ("tex", "log"):  # not over the other's files
        (folder / f"lua.{suffix}").write_text((folder / "every.tex").read_text())
    log = compiled(folder, "lua.tex", "lualatex", times=1)
    assert "Missing character" not in log


def test_macros_print_their_numbers(folder: Path) -> None:
    (folder / "quoted.tex").write_text(
        r"""\documentclass{article}\input{macros}\begin{document}
\typeout{told: \medspectralnetBreastmnistACC}\medspectralnetBreastmnistACC\end{document}"""
    )
    told = re.search(r"told: (\S+)", compiled(folder, "quoted.tex", times=1))
    assert told is not None
    assert f"{told[1]} ± " in (folder / "accuracy.md").read_text()


def test_bibtex_knows_every_work(folder: Path) -> None:
    if shutil.which("bibtex") is None:
        pytest.skip("bibtex is missing (Debian, Ubuntu: apt install texlive-binaries)")
    from bench.report.references import _entry

    works = load_references().work
    entries = "\n".join(_entry(key, work) for key, work in works.items())
    (folder / "all.bib").write_text(entries)
    (folder / "cited.tex").write_text(
        r"""\documentclass{article}\begin{document}\nocite{*}
\bibliographystyle{plain}\bibliography{all}\end{document}"""
    )
    compiled(folder, "cited.tex", times=1)
    done = subprocess.run(
        ["bibtex", "cited"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout
    assert (folder / "cited.bbl").read_text().count(r"\bibitem") == len(works)
    assert "references.bib" in {path.name for path in folder.iterdir()}
    compiled(folder, "cited.tex", times=1)
