"""The claims that rest on a suite, with the way to each on the page of claims."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from bench.report.claims.file import CLAIMS, Check
from bench.report.claims.judge import judge_claims
from bench.report.claims.page import HTML
from bench.report.folder import reports_folder
from bench.report.page.content import ClaimLine
from bench.suite import Suite


def claims_page(results: Path, folder: Path) -> str:
    """The address of the page of claims, as a page in ``folder`` may link to it."""
    return quote(Path(os.path.relpath(reports_folder(results) / HTML, folder)).as_posix())


def claim_lines(suite: Suite, results: Path, folder: Path, path: Path = CLAIMS) -> list[ClaimLine]:
    """Those whose check looks into this suite of the project, in the order of the claims.

    Raises:
        InputError: the claims cannot be judged.
    """
    if suite.reference != suite.name:
        return []  # a suite of the user's own, whatever its name
    address = claims_page(results, folder)
    return [
        ClaimLine(
            says=judged.claim.says,
            verdict=judged.verdict,
            outcome=judged.judgement.outcome.value,
            reason=judged.judgement.reason,
            href=f"{address}#{judged.claim.id}",
        )
        for judged in judge_claims(results, path).claims
        if suite.name in _suites(judged.claim.check)
    ]


def _suites(check: Check) -> list[str]:
    return [*getattr(check, "suites", []), *filter(None, [getattr(check, "suite", None)])]
