"""The pages: the same records give the same bytes, links lead to files, HTML is well-formed."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

from bench.report.claims.judge import judge_claims
from bench.report.claims.page import claims_documents, write_claims
from bench.toml_file import ROOT
from tests._helpers.html import Structure
from tests.bench.conftest import Command

RESULTS, REPORTS = ROOT / "results", ROOT / "reports"


@pytest.fixture(scope="module")
def documents() -> dict[str, str]:
    return claims_documents(RESULTS, REPORTS)


def test_the_committed_pages_are_those_of_the_committed_records(documents: dict[str, str]) -> None:
    assert claims_documents(RESULTS, REPORTS) == documents
    for name, text in documents.items():
        kept = (REPORTS / name).read_text(encoding="utf-8")
        assert kept == text, f"{name}: python -m bench claims"


def test_the_html_is_whole_and_fetches_nothing(documents: dict[str, str]) -> None:
    page = Structure(documents["claims.html"])
    assert not page.open
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert "@import" not in documents["claims.html"]
    assert "url(" not in documents["claims.html"]
    assert len(page.ids) == len(set(page.ids))
    assert {judged.claim.id for judged in judge_claims(RESULTS).claims} <= set(page.ids)
    assert any(meta.get("name") == "viewport" for meta in page.of("meta"))
    assert "light-dark(" in documents["claims.html"]


def test_every_link_leads_to_a_file_or_a_claim(documents: dict[str, str]) -> None:
    page = Structure(documents["claims.html"])
    files = [address for address in page.addresses if not address.startswith("#")]
    assert len(files) > 50
    for address in page.addresses:
        if address.startswith("#"):
            assert address[1:] in page.ids
        else:
            assert (REPORTS / unquote(address)).is_file(), address


def test_what_a_claim_says_cannot_break_the_page(tmp_path: Path) -> None:
    text = (RESULTS / "claims.toml").read_text()
    old = 'says = "It suits real-time use on small machines."'
    path = tmp_path / "claims.toml"
    path.write_text(text.replace(old, "says = 'a <script> & \"b\" | c'"))
    drawn = claims_documents(RESULTS, REPORTS, path)
    page = Structure(drawn["claims.html"])
    assert not page.open
    assert "script" not in page.tags
    assert r"&lt;script&gt; &amp; " in drawn["claims.html"]


def test_without_records_what_needs_them_is_not_measured(tmp_path: Path) -> None:
    found = {one.claim.id: one.verdict for one in judge_claims(tmp_path / "none").claims}
    assert found.pop("sixty-percent-fewer") == "refuted"  # arithmetic needs no record
    assert set(found.values()) == {"not measured"}


def test_damaged_records_are_named_on_the_page_and_do_not_stop_it(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "records"
    shutil.copytree(RESULTS / "records", folder)
    for path in folder.glob("*.json"):
        path.write_text(path.read_text()[:200])
    (tmp_path / "results" / "races").mkdir()
    (tmp_path / "results" / "races" / "medspectralnet.json").write_text("{")
    markdown, html = write_claims(tmp_path / "results", folder=tmp_path)
    assert "## Damaged records, left out" in markdown.read_text()
    assert "3f7433fcec31e232.json" in html.read_text()
    verdicts = {one.verdict for one in judge_claims(tmp_path / "results").claims}
    assert verdicts == {"refuted", "not measured"}


def test_the_command_ends_well_whatever_the_verdicts(bench: Command, results: Path) -> None:
    results.mkdir()
    said = bench("claims")
    assert said.code == 0, said.err
    assert "sixty-percent-fewer: refuted" in said.out
    assert (results / "reports" / "claims.html").is_file()
    assert (results / "reports" / "claims.md").read_text().startswith("# Claims")


def test_unusable_claims_are_one_line(bench: Command, tmp_path: Path) -> None:
    said = bench("claims", "--file", tmp_path / "none.toml")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "none.toml" in said.err
