"""One run of the gate as a page, as HTML, JSON and JUnit XML: nothing is lost on the way."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from junitparser import JUnitXml, TestCase

from bench.errors import InputError
from bench.regress.record import Finding, GateReport
from bench.report.regress.page import gate_documents, gate_page, write_report
from tests.bench.regress.samples import report

TestCase.__test__ = False  # not a pytest class, whatever its name

FINDINGS = (
    Finding(name="MACs:net", kind="exact", verdict="regression", baseline="100", candidate="101",
            change="+1 (+1 %)", sure="exact"),
    Finding(name="parameters:net", kind="exact", verdict="pass", baseline="5", candidate="5"),
    Finding(name="learning rate", kind="check", verdict="pass", says="16 updates"),
    Finding(name="AUC:net on data", kind="accuracy", verdict="not measured", says="no <network>"),
    Finding(name="latency of net", kind="run time", verdict="too noisy", change="+1.0 %"),
    Finding(name="memory of net", kind="process", verdict="needs this machine"),
)  # fmt: skip


def test_the_page_names_what_is_worse_and_sums_up_what_holds() -> None:
    text = gate_page(report(*FINDINGS))
    assert text.startswith("## Gate: regression: MACs of net\n")
    assert "+1 (+1 %)" in text
    assert "1 hold: parameters." in text
    assert "working tree against main (0123456789ab) on A processor" in text
    assert "Other processes were busy" in text
    assert len(text) < 65_536  # what GitHub takes as a comment


def test_a_pass_says_so() -> None:
    held = [Finding(name=f"MACs:{i}", kind="exact", verdict="pass") for i in range(3)]
    text = gate_page(report(*held))
    assert text.startswith("## Gate: no regression\n")
    assert "3 hold: MACs (3)." in text


def test_a_pass_names_what_was_not_measured_and_noise_what_is_too_noisy() -> None:
    unmeasured, noisy = FINDINGS[3], FINDINGS[4]
    assert gate_page(report(FINDINGS[1], unmeasured)).startswith(
        "## Gate: no regression; not measured: AUC of net on data\n"
    )
    assert gate_page(report(FINDINGS[1], noisy)).startswith(
        "## Gate: too noisy to tell: latency of net\n"
    )


@pytest.mark.parametrize("findings", [(), (FINDINGS[3],)])
def test_nothing_measured_is_an_error_in_junit_too(
    tmp_path: Path, findings: tuple[Finding, ...]
) -> None:
    write_report(report(*findings), tmp_path)
    suites = list(JUnitXml.fromfile(str(tmp_path / "regression.xml")))
    assert sum(suite.errors for suite in suites) == 1


def test_a_message_may_hold_anything(tmp_path: Path) -> None:
    said = "\x1b[31mboom\x1b[0m \x00 | <b> & \ufffe"
    bad = Finding(name="checks\x07", kind="check", verdict="regression", says=said)
    write_report(report(bad), tmp_path)
    ((case,),) = JUnitXml.fromfile(str(tmp_path / "regression.xml"))
    assert case.name == "checks\ufffd"
    assert case.result[0].message == "regression: boom \ufffd | <b> & \ufffd"
    for ending in ("md", "html"):
        assert "\x1b" not in (tmp_path / f"regression.{ending}").read_text()


def test_a_page_of_many_lines_is_cut_to_a_comment_and_keeps_the_regressions() -> None:
    long = Finding(name="fails", kind="check", verdict="regression", says="x" * 5000)
    many = [
        Finding(name=f"MACs:{i}", kind="exact", verdict="notice", change="y" * 80)
        for i in range(2000)
    ]
    worse = Finding(name="MACs:last", kind="exact", verdict="regression", change="+1")
    text = gate_page(report(*many, worse, long))
    assert len(text) < 65_536
    assert "MACs of last | regression" in " ".join(text.split())
    assert "more: regression.html." in text
    assert "x" * 300 + " …" in text


def test_junit_as_a_parser_reads_it(tmp_path: Path) -> None:
    write_report(report(*FINDINGS), tmp_path)
    suites = list(JUnitXml.fromfile(str(tmp_path / "regression.xml")))
    assert sum(suite.tests for suite in suites) == len(FINDINGS)
    assert sum(suite.failures for suite in suites) == 1
    assert sum(suite.errors for suite in suites) == 2
    assert sum(suite.skipped for suite in suites) == 1
    cases = {case.name: case for suite in suites for case in suite}
    assert cases["MACs of net"].result[0].message == "regression: +1 (+1 %); exact"
    assert cases["learning rate"].is_passed


def test_all_four_files_are_of_the_same_run(tmp_path: Path) -> None:
    made = report(*FINDINGS)
    paths = write_report(made, tmp_path)
    assert [path.name for path in paths] == [
        f"regression.{ending}" for ending in ("md", "html", "json", "xml")
    ]
    stored = json.loads((tmp_path / "regression.json").read_text())
    assert GateReport.model_validate(stored) == made
    html = (tmp_path / "regression.html").read_text()
    assert "no &lt;network&gt;" in html
    assert "http" not in html  # nothing is fetched
    Closed().feed(html)


def test_pages_can_be_drawn_anew_and_a_damaged_report_is_named(tmp_path: Path) -> None:
    write_report(report(*FINDINGS), tmp_path)
    for name, text in gate_documents(tmp_path).items():
        assert (tmp_path / name).read_text() == text
    (tmp_path / "regression.json").write_text("{}")
    with pytest.raises(InputError, match="damaged report of the gate"):
        gate_documents(tmp_path)


class Closed(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
