"""The course of every metric over the recorded revisions, as Markdown and as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from bench.records.store import write_atomic
from bench.regress.history import Revision, load_all
from bench.regress.micro import Micro, load_micro
from bench.report.folder import reports_folder
from bench.report.regress.series import Series, all_series
from bench.report.table.markdown import markdown
from bench.report.text import BLANK
from bench.statistics.change_points import LEAST

PAGE, HTML = "history.md", "history.html"
ABSENT = (
    "# The course of every metric\n\nNothing is recorded yet: "
    "`python -m bench regress --baseline REF --record` records a revision.\n"
)
READ = (
    "Every recorded revision, oldest first. Numbers without noise change wherever they differ from "
    f"the revision before; in noisy ones, from {LEAST} revisions on, a change is a new level found "
    "by penalised least squares (PELT). Times stand over a yardstick that no revision changes and "
    "that was timed in the same rounds; they are compared on one processor alone."
)
_WIDTH, _HEIGHT, _PAD = 240, 36, 4  # px of a course
_STYLE = """
:root { color-scheme: light dark; --line: #d0d0d0; --ink: #1f5fa8; --mark: #a11d1d; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --ink: #8ab8f0; --mark: #ff9a94; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: middle; padding: 0.3rem 0.6rem;
  border-bottom: 1px solid var(--line); }
svg { display: block; } polyline { fill: none; stroke: var(--ink); stroke-width: 1.5; }
circle { fill: var(--ink); } line { stroke: var(--mark); stroke-dasharray: 3 2; }
"""


def write_trends(results: Path) -> list[Path]:
    """Draw both pages from ``results/history/``; returns their paths.

    Raises:
        InputError: a record is damaged.
    """
    folder, documents = reports_folder(results), trends_documents(results)
    for name, text in documents.items():
        write_atomic(folder / name, text.encode())
    return [folder / name for name in documents]


def trends_documents(results: Path) -> dict[str, str]:
    """Both pages by name.

    Raises:
        InputError: a record is damaged.
    """
    revisions, micro = load_all(results), load_micro(results)
    return {PAGE: trends_page(revisions, micro), HTML: trends_html(revisions, micro)}


def trends_page(revisions: Sequence[Revision], micro: Sequence[Micro] = ()) -> str:
    """The page as Markdown; the same records, the same text."""
    if not revisions and not micro:
        return ABSENT
    parts = ["# The course of every metric", READ, _span(revisions)]
    series = all_series(revisions, micro)
    for group in dict.fromkeys(one.group for one in series):
        parts += [f"## {group}", markdown([_row(one) for one in series if one.group == group])]
    return "\n\n".join(parts) + "\n"


def _span(revisions: Sequence[Revision]) -> str:
    if not revisions:
        return "No revision is recorded yet; what stands here is of `make bench` alone."
    first, last = revisions[0], revisions[-1]
    return (
        f"{len(revisions)} revisions, from {first.commit[:12]} ({first.committed_at:%Y-%m-%d}) to "
        f"{last.commit[:12]} ({last.committed_at:%Y-%m-%d})."
    )


def _row(series: Series) -> dict[str, str]:
    return {
        "metric": series.name,
        "revisions": str(len(series.values)),
        "first": _number(series.values[0]),
        "last": _number(series.values[-1]),
        "changes": "; ".join(series.change(place) for place in series.begins) or BLANK,
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and abs(value) >= 10 else f"{value:.4g}"


def trends_html(revisions: Sequence[Revision], micro: Sequence[Micro] = ()) -> str:
    """The same with each course drawn: no script, nothing fetched."""
    body = f"<p>{escape(ABSENT.splitlines()[-1])}</p>"
    if revisions or micro:
        series = all_series(revisions, micro)
        body = f"<p>{escape(READ)}</p>\n<p>{escape(_span(revisions))}</p>\n"
        for group in dict.fromkeys(one.group for one in series):
            rows = "".join(_html_row(one) for one in series if one.group == group)
            heads = "".join(
                f'<th scope="col">{name}</th>'
                for name in ("metric", "course", "first", "last", "changes")
            )
            body += (
                f'<h2>{escape(group)}</h2>\n<div class="wide"><table>\n<thead><tr>{heads}</tr>'
                f"</thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
            )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>The course of every metric</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<main>\n<h1>The course of every metric</h1>\n{body}</main>\n</body>\n</html>\n"
    )


def _html_row(series: Series) -> str:
    row = _row(series)
    cells = (row["metric"], "", row["first"], row["last"], row["changes"])
    drawn = [f"<td>{escape(cell)}</td>" for cell in cells]
    drawn[1] = f"<td>{_course(series)}</td>"
    return f"<tr>{''.join(drawn)}</tr>\n"


def _course(series: Series) -> str:
    """A small picture of the values, a dashed line where a new level begins."""
    values = series.values
    low, high = min(values), max(values)
    across = (_WIDTH - 2 * _PAD) / max(1, len(values) - 1)

    def x(place: float) -> float:
        return _PAD + across * place

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return _HEIGHT - _PAD - share * (_HEIGHT - 2 * _PAD)

    points = " ".join(f"{x(i):.1f},{y(value):.1f}" for i, value in enumerate(values))
    marks = "".join(
        f'<line x1="{x(i - 0.5):.1f}" x2="{x(i - 0.5):.1f}" y1="0" y2="{_HEIGHT}">'
        f"<title>{escape(series.change(i))}</title></line>"
        for i in series.begins
    )
    dots = "".join(
        f'<circle cx="{x(i):.1f}" cy="{y(value):.1f}" r="1.8">'
        f"<title>{escape(commit)}: {_number(value)}</title></circle>"
        for i, (commit, value) in enumerate(zip(series.commits, values, strict=True))
    )
    label = escape(f"{series.name}: {_number(values[0])} to {_number(values[-1])}")
    return (
        f'<svg role="img" aria-label="{label}" width="{_WIDTH}" height="{_HEIGHT}">'
        f'{marks}<polyline points="{points}"/>{dots}</svg>'
    )
