"""One run of the gate as Markdown, HTML, JSON and JUnit XML, all from its record."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from pydantic import ValidationError

from bench.errors import InputError
from bench.records.store import write_atomic
from bench.regress.record import Finding, GateReport
from bench.report.regress import words
from bench.report.table.markdown import markdown
from bench.specs import describe_invalid
from bench.toml_file import shown

NAME = "regression"
ENDINGS = ("md", "html", "json", "xml")
PAGES = (f"{NAME}.md", f"{NAME}.html")
COMMENT = 65_000  # characters: GitHub takes 65,536 as a comment
CELL = 300  # characters of a message
_STYLE = """
:root { color-scheme: light dark; --line: #d0d0d0; --bad: #a11d1d; --good: #1a6b2d;
  --open: #80500a; }
@media (prefers-color-scheme: dark) {
  :root { --line: #444; --bad: #ff9a94; --good: #7bd08f; --open: #e8b563; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem;
  border-bottom: 1px solid var(--line); }
.regression { color: var(--bad); font-weight: 600; } .pass { color: var(--good); }
.open { color: var(--open); }
"""


def write_report(report: GateReport, folder: Path) -> list[Path]:
    """``regression.md``, ``.html``, ``.json`` and ``.xml`` in the folder; returns their paths."""
    documents = {
        "md": gate_page(report),
        "html": gate_html(report),
        "json": json.dumps(report.model_dump(mode="json"), ensure_ascii=False) + "\n",
        "xml": gate_junit(report),
    }
    for ending, text in documents.items():
        write_atomic(folder / f"{NAME}.{ending}", text.encode())
    return [folder / f"{NAME}.{ending}" for ending in documents]


def remove_report(folder: Path) -> None:
    """Take an earlier report away."""
    for ending in ENDINGS:
        (folder / f"{NAME}.{ending}").unlink(missing_ok=True)


def gate_documents(folder: Path) -> dict[str, str]:
    """Both pages anew, from the JSON that lies beside them.

    Raises:
        InputError: it is not there, or damaged.
    """
    path = folder / f"{NAME}.json"
    try:
        report = GateReport.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"damaged report of the gate: {why}",
            remedy=f"delete {NAME}.*, or run the gate again",
            file=shown(path),
        ) from None
    return dict(zip(PAGES, (gate_page(report), gate_html(report)), strict=True))


def gate_page(report: GateReport) -> str:
    """The page as Markdown, fit for a pull request's comment and for a job's summary.

    Where it would be longer than a comment may be, the regressions are the last to be left out.
    """
    rows = max((len(section.shown) for section in words.sections(report)), default=0)
    while len(text := _page(report, rows)) > COMMENT and rows > 1:
        rows //= 2
    return text


def _page(report: GateReport, rows: int) -> str:
    parts = [f"## Gate: {words.headline(report)}", words.circumstances(report)]
    for section in words.sections(report):
        parts.append(f"### {section.title}")
        worst_first = sorted(section.shown, key=lambda finding: finding.verdict != "regression")
        shown = section.shown if len(section.shown) <= rows else worst_first[:rows]
        if shown:
            parts.append(markdown([_short(words.row(finding)) for finding in shown]))
        if len(shown) < len(section.shown):
            parts.append(f"{len(section.shown) - len(shown)} more: {NAME}.html.")
        if section.held:
            parts.append(words.held_in_words(section.held))
    return "\n\n".join(parts) + "\n"


def _short(row: dict[str, str]) -> dict[str, str]:
    """A table is as wide as its longest cell in every line."""
    return {name: text if len(text) <= CELL else f"{text[:CELL]} …" for name, text in row.items()}


def gate_html(report: GateReport) -> str:
    """The same as one self-contained page: no script, nothing fetched."""
    parts = []
    for section in words.sections(report):
        parts.append(f"<h2>{escape(section.title)}</h2>")
        if section.shown:
            heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in words.COLUMNS)
            rows = "".join(_html_row(finding) for finding in section.shown)
            parts.append(
                f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n'
                f"<tbody>\n{rows}</tbody>\n</table></div>"
            )
        if section.held:
            parts.append(f"<p>{escape(words.held_in_words(section.held))}</p>")
    title = f"Gate: {words.headline(report)}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(words.circumstances(report))}</p>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _html_row(finding: Finding) -> str:
    known = finding.verdict in ("pass", "regression")
    cells = [
        f'<td class="{finding.verdict if known else "open"}">{escape(text)}</td>'
        if name == "verdict"
        else f"<td>{escape(text)}</td>"
        for name, text in words.row(finding).items()
    ]
    return f"<tr>{''.join(cells)}</tr>\n"


def gate_junit(report: GateReport) -> str:
    """JUnit's XML, a case a finding: regressions fail, what could not be told is an error."""
    root = ElementTree.Element("testsuites", name="regress", time=f"{report.wall_s:.3f}")
    for kind, title in words.KINDS.items():
        findings = [finding for finding in report.findings if finding.kind == kind]
        if not findings:
            continue
        suite = ElementTree.SubElement(root, "testsuite", name=title, tests=str(len(findings)))
        counts = {"failure": 0, "error": 0, "skipped": 0}
        for finding in findings:
            tag = _case(suite, kind, finding)
            if tag is not None:
                counts[tag] += 1
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(name, str(counts[tag]))
    if report.exit_code == 2:  # else a reader of cases alone would see none that failed
        suite = ElementTree.SubElement(root, "testsuite", name="Gate", tests="1", errors="1")
        case = ElementTree.SubElement(suite, "testcase", classname="regress", name="all measured")
        ElementTree.SubElement(case, "error", message=words.headline(report))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


_TAGS = {
    "regression": "failure",
    "too noisy": "error",
    "needs this machine": "error",
    "no data": "error",
    "not measured": "skipped",
}


def _case(suite: ElementTree.Element, kind: str, finding: Finding) -> str | None:
    name = words.label(finding)
    case = ElementTree.SubElement(suite, "testcase", classname=f"regress.{kind}", name=name)
    parts = (finding.change, finding.says, finding.sure)
    said = words.plain("; ".join(part for part in parts if part))
    tag = _TAGS.get(finding.verdict)
    if tag is not None:
        ElementTree.SubElement(case, tag, message=f"{finding.verdict}: {said}")
    elif said:
        ElementTree.SubElement(case, "system-out").text = said
    return tag
