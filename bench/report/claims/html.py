"""The claims as one self-contained HTML page: no script, nothing fetched, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from bench.report.claims.judge import Audit, Judged
from bench.report.claims.verdict import Evidence, Outcome

Href = Callable[[Path], str]

_STYLE = """
:root { color-scheme: light dark; --line: #d0d0d0; --soft: #f4f4f4;
  --holds: #1a6b2d; --fails: #a11d1d; --open: #80500a; --absent: #595959; }
@media (prefers-color-scheme: dark) {
  :root { --line: #444; --soft: #222; --holds: #7bd08f; --fails: #ff9a94; --open: #e8b563;
    --absent: #b4b4b4; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem;
  overflow-wrap: break-word; }
h1, h2 { line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 0; }
article { border-top: 1px solid var(--line); padding: 1.25rem 0; }
blockquote { margin: 0.5rem 0; padding-left: 0.75rem; border-left: 3px solid var(--line); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem;
  border-bottom: 1px solid var(--line); }
code { background: var(--soft); padding: 0.1rem 0.3rem; }
.verdict { font-weight: 600; }
.holds { color: var(--holds); } .fails { color: var(--fails); }
.open { color: var(--open); } .absent { color: var(--absent); }
.quiet { color: var(--absent); font-size: 0.9rem; }
"""


def claims_html(audit: Audit, href: Href, read: str, tally: str) -> str:
    """The page; the same audit gives the same text.

    Args:
        href: the address of a file, as the page may link to it.
        read: how to read the page, in Markdown's emphasis.
        tally: how many verdicts there are of each kind.
    """
    rows = "".join(_summary(judged) for judged in audit.claims)
    sections = "".join(_article(judged, href) for judged in audit.claims)
    damaged = "".join(f"<li>{escape(line)}</li>" for line in audit.damaged)
    if damaged:
        damaged = f"<article><h2>Damaged records, left out</h2><ul>{damaged}</ul></article>\n"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Claims</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>Claims</h1>\n<p>{_emphasis(read)}</p>\n"
        f"<p>{len(audit.claims)} claims: {escape(tally)}.</p>\n"
        '<div class="wide"><table>\n<thead><tr><th scope="col">claim</th>'
        '<th scope="col">as printed</th><th scope="col">verdict</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table></div>\n{sections}{damaged}</main>\n</body>\n</html>\n"
    )


def _emphasis(text: str) -> str:
    """The little Markdown of a sentence as HTML: ``*emphasis*`` and backticks."""
    for mark, tag in (("*", "em"), ("`", "code")):
        parts = (text if mark == "`" else escape(text)).split(mark)
        text = "".join(
            f"<{tag}>{part}</{tag}>" if index % 2 else part for index, part in enumerate(parts)
        )
    return text


def _summary(judged: Judged) -> str:
    claim = judged.claim
    return (
        f'<tr><td><a href="#{claim.id}">{escape(claim.says)}</a></td>'
        f"<td>{escape(claim.number) or '–'}</td><td>{_verdict(judged)}</td></tr>\n"
    )


def _verdict(judged: Judged) -> str:
    return f'<span class="verdict {_CLASSES[judged.judgement.outcome]}">{judged.verdict}</span>'


_CLASSES = {outcome: outcome.value for outcome in Outcome}


def _article(judged: Judged, href: Href) -> str:
    claim, source, found = judged.claim, judged.source, judged.judgement
    parts = [f'<article id="{claim.id}">\n<h2>{escape(claim.says)}</h2>']
    if claim.quote:
        parts.append(f"<blockquote>{escape(claim.quote)}</blockquote>")
    parts.append(f'<p class="quiet">{escape(source.cite)}: {escape(source.where)}.</p>')
    parts.append(f"<p>{_verdict(judged)}. {escape(found.reason)}</p>")
    if found.command:
        parts.append(f"<p><code>{escape(found.command)}</code> measures it.</p>")
    if found.evidence:
        rows = "".join(_row(evidence, href) for evidence in found.evidence)
        parts.append(
            '<div class="wide"><table>\n<thead><tr><th scope="col">evidence</th>'
            '<th scope="col">value</th><th scope="col">records</th></tr></thead>\n'
            f"<tbody>\n{rows}</tbody>\n</table></div>"
        )
    supports, refutes = escape(claim.supports), escape(claim.refutes)
    parts.append(f'<p class="quiet">Supports it: {supports}. Refutes it: {refutes}.</p>')
    if claim.caveat:
        parts.append(f'<p class="quiet"><em>{escape(claim.caveat)}</em></p>')
    return "\n".join(parts) + "\n</article>\n"


def _row(evidence: Evidence, href: Href) -> str:
    links = ", ".join(
        f'<a href="{escape(href(link.path))}">{escape(link.text)}</a>' for link in evidence.links
    )
    what, value = escape(evidence.what), escape(evidence.value)
    return f"<tr><td>{what}</td><td>{value}</td><td>{links or '–'}</td></tr>\n"
