"""The README's table is the one that the committed records give."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.records.audit import AuditRecord, load_all
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.audits import Audits, audits_for
from bench.report.brief import BRIEF
from bench.report.collect import collect
from bench.report.data_page import data_page, sheet_name
from bench.report.figures.draw import plan_figures
from bench.report.readme import MARKER, embed, embed_in_file
from bench.report.search import model_table, search_page
from bench.report.tables import main_table, write_tables
from bench.search.file import known_searches, load_search
from bench.search.record import load
from bench.staleness import Staleness
from bench.suite import Suite, load_suite
from bench.verify.pages import FORMS

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
DESIGN = ROOT / "docs" / "medspectralnet.md"


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
        embed_in_file(tmp_path / "page.md", {"x": str})


def committed(pattern: str) -> list[Path]:
    """Paths under git that match; what a user's own runs left beside them is not meant."""
    listed = subprocess.run(
        ["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


def committed_records() -> list[Record]:
    store = Store(ROOT / "results")
    found = (store.load(path.stem) for path in committed("results/records/*.json"))
    return [record for record in found if record is not None]


KNOWN = Staleness.load(ROOT / "results")


def committed_audits() -> list[AuditRecord]:
    stems = {path.stem for path in committed("results/audit/*.json")}
    return [audit for audit in load_all(ROOT / "results") if audit.stem in stems]


def fitting_audits(suite: Suite) -> Audits:
    collected = collect(suite, committed_records())
    return audits_for(collected, committed_audits(), Store(ROOT / "results"))


def test_every_committed_report_equals_the_one_drawn_from_committed_records(
    tmp_path: Path,
) -> None:
    folders = {path.parent for path in committed(":(glob)reports/*/*.md")}
    assert folders
    for folder in folders:
        suite, where = load_suite(folder.name), tmp_path / folder.name
        audits = fitting_audits(suite)
        store = Store(ROOT / "results")
        drawn = write_tables(
            suite, committed_records(), where, audits=audits, staleness=KNOWN, store=store
        )
        kept = {path.name for path in committed(f":(glob)reports/{folder.name}/*")}
        unkept = set(FORMS) - {Path(name).suffix for name in kept}
        assert kept == {path.name for path in drawn if path.suffix not in unkept}
        for path in (path for path in drawn if path.name in kept):
            there = (folder / path.name).read_text(encoding="utf-8")
            assert there == path.read_text(encoding="utf-8"), f"bench report {folder.name}"


def test_the_numbers_and_captions_of_every_committed_figure_are_those_of_the_records() -> None:
    folders = {path.parent for path in committed(":(glob)reports/*/figures/README.md")}
    assert folders
    for folder in folders:
        name, store = folder.parent.name, Store(ROOT / "results")
        plans = plan_figures(load_suite(name), committed_records(), store, staleness=KNOWN)
        drawn = plans.documents()
        kept = {path.name for path in committed(f"reports/{name}/figures/*")}
        assert kept == {*drawn, *(f"{figure.name}.png" for figure in plans.figures)}
        for file, text in drawn.items():
            there = (folder / file).read_text(encoding="utf-8")
            assert there == text, f"make figures SUITE={name}"


def test_the_page_of_the_data_is_that_of_the_committed_audits() -> None:
    audits = committed_audits()
    assert {"breastmnist", "pneumoniamnist", "retinamnist"} <= {a.dataset for a in audits}
    page = (ROOT / "reports" / "data.md").read_text(encoding="utf-8")
    assert page == data_page(audits), "python -m bench data --draw"
    sheets = {path.name for path in committed("reports/data/*.png")}
    assert sheets == {sheet_name(audit) for audit in audits}


def test_the_search_page_is_that_of_the_committed_trials() -> None:
    results = ROOT / "results"
    trials = {path.stem: load(results, path.stem) for path in committed("results/trials/*.json")}
    whole = {identity: trial for identity, trial in trials.items() if trial is not None}
    searches = [load_search(name) for name in known_searches()]
    page = search_page(searches, whole, committed_records(), KNOWN)
    assert (ROOT / "reports" / "search.md").read_text(encoding="utf-8") == page
    text = DESIGN.read_text(encoding="utf-8")
    for name in ("architecture", "confirmation"):
        table = model_table(load_search(name), whole, committed_records())
        assert embed(text, name, table) == text, (
            f"python -m bench search {name} --draw --embed docs/medspectralnet.md"
        )


def test_every_table_of_the_readme_equals_the_one_drawn_from_committed_records() -> None:
    text = README.read_text(encoding="utf-8")
    names = MARKER.findall(text)
    assert names
    for name in names:
        suite, brief = load_suite(name.removesuffix(BRIEF)), name.endswith(BRIEF)
        audits = fitting_audits(suite)
        table = main_table(suite, committed_records(), None, audits, KNOWN, brief=brief)
        assert embed(text, name, table) == text, (
            f"python -m bench report {suite.name} --embed README.md"
        )
