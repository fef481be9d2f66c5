"""The claims as one self-contained HTML page: no script, nothing fetched, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.report.claims.judge import Audit
from bench.report.page.environment import environment, policy

Href = Callable[[Path], str]


def claims_html(audit: Audit, href: Href, read: str, tally: str) -> str:
    """The page; the same audit gives the same text.

    Args:
        href: the address of a file, as the page may link to it.
        read: how to read the page, in Markdown.
        tally: how many verdicts there are of each kind.
    """
    template = environment().get_template("claims.html.j2")
    text = template.render(audit=audit, href=href, read=read, tally=tally, policy=policy())
    return text.lstrip() + "\n"
