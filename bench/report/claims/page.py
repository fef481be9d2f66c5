"""The page on the claims, as Markdown; ``html.py`` draws the same as HTML."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from bench.records.store import write_atomic
from bench.report.claims.file import CLAIMS
from bench.report.claims.html import claims_html
from bench.report.claims.judge import Audit, Judged, judge_claims
from bench.report.claims.verdict import Evidence
from bench.report.folder import reports_folder
from bench.report.table.markdown import markdown
from bench.report.text import BLANK

PAGE, HTML = "claims.md", "claims.html"

READ = (
    "Each claim as its makers print it, what would support and what would refute it, fixed in "
    "`results/claims.toml`, and what the records say. The network here is an own design under the "
    "constraints of the paper's abstract, so what its authors trained can only be *reproduced by "
    "our reimplementation* or *not reproduced by our reimplementation*; *confirmed* and *refuted* "
    "are for arithmetic, printed facts and our own claims. *Undecided*: measured, and the interval "
    "leaves both open. Intervals are of 95 %. A record marked *stale* was made by code that has "
    "changed since."
)


def write_claims(results: Path, path: Path = CLAIMS, folder: Path | None = None) -> list[Path]:
    """Judge the claims by the records below ``results``, draw both pages; returns their paths.

    Raises:
        InputError: the claims, a suite or a published number they name cannot be used.
    """
    folder = folder or reports_folder(results)
    documents = claims_documents(results, folder, path)
    for name, text in documents.items():
        write_atomic(folder / name, text.encode())
    return [folder / name for name in documents]


def claims_documents(results: Path, folder: Path, path: Path = CLAIMS) -> dict[str, str]:
    """Both pages by name, their links relative to ``folder``; the same records, the same text.

    Raises:
        InputError: as ``write_claims``.
    """
    audit = judge_claims(results, path)

    def href(target: Path) -> str:
        return quote(Path(os.path.relpath(target, folder)).as_posix())

    return {PAGE: claims_page(audit, href), HTML: claims_html(audit, href, READ, tally(audit))}


def tally(audit: Audit) -> str:
    """``2 confirmed, 3 refuted, …``, in the order of the claims."""
    counts = Counter(judged.verdict for judged in audit.claims)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items())


def claims_page(audit: Audit, href: Callable[[Path], str]) -> str:
    """The page as Markdown.

    Args:
        href: the address of a file, as the page may link to it.
    """
    rows = [
        {
            "claim": f"[{judged.claim.says}](#{judged.claim.id})",
            "as printed": judged.claim.number or BLANK,
            "judged": f"**{judged.verdict}**",
        }
        for judged in audit.claims
    ]
    parts = ["# Claims", READ, f"{len(rows)} claims: {tally(audit)}.", markdown(rows)]
    for judged in audit.claims:
        parts += _section(judged, href)
    if audit.damaged:
        damaged = "\n".join(f"- {line}" for line in audit.damaged)
        parts += ["## Damaged records, left out", damaged]
    return "\n\n".join(parts) + "\n"


def _section(judged: Judged, href: Callable[[Path], str]) -> list[str]:
    claim, source, found = judged.claim, judged.source, judged.judgement
    parts = [f'<a id="{claim.id}"></a>\n\n## {claim.says}']
    if claim.quote:
        parts.append(f"> {claim.quote}")
    parts.append(f"{source.cite}: {source.where}.")
    parts.append(f"Supports it: {claim.supports}. Refutes it: {claim.refutes}.")
    parts.append(f"**{judged.verdict[0].upper()}{judged.verdict[1:]}.** {found.reason}")
    if found.command:
        parts.append(f"`{found.command}` measures it.")
    if found.evidence:
        parts.append(markdown([_row(evidence, href) for evidence in found.evidence]))
    if claim.caveat:
        parts.append(f"*{claim.caveat}*")
    return parts


_MOST_WHOLE, _SHORT = 4, 6  # links with whole ids in one cell; digits of an id among more


def _row(evidence: Evidence, href: Callable[[Path], str]) -> dict[str, str]:
    whole = len(evidence.links) <= _MOST_WHOLE
    links = ", ".join(
        f"[{link.text if whole else link.text[:_SHORT]}]({href(link.path)})"
        for link in evidence.links
    )
    return {"evidence": evidence.what, "value": evidence.value, "records": links or BLANK}
