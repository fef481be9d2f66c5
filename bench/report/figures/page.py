"""The page of a suite's figures: each with its caption, and a line on each that is not there."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from bench.report.collect import Collected, training_of
from bench.report.figures.planned import Lacking, Planned, Row, Value
from bench.report.text import escape

PAGE = "README.md"


def page(collected: Collected, figures: Sequence[Planned], lacking: Sequence[Lacking]) -> str:
    """The page as Markdown; pictures and numbers lie beside it."""
    suite, settings = collected.suite, collected.suite.settings
    kinds = {training_of(record).data.synthetic for record in collected.records}
    shown = {True: "**synthetic data**", False: "real data"}
    data = " and ".join(shown[kind] for kind in sorted(kinds)) or "no finished runs"
    size = f"{settings.source_size} px source fed at {settings.image_size} px"
    done = len(suite.cells) - len(collected.problems)
    counts = f"{done} of {len(suite.cells)} runs finished" if suite.cells else "nothing is trained"
    basis = f"{data}; {size}; protocol `{suite.protocol_name}`; {counts}" if suite.cells else counts
    parts = [
        f"# Figures: suite `{suite.name}`",
        settings.about,
        f"Shown: {basis}. `python -m bench figures {suite.reference}` draws them from the records "
        "and stored predictions alone, as PNG, PDF and SVG; the numbers drawn stand in the CSV "
        "beside each. `python -m bench verify` holds the CSVs and this page equal to the records; "
        "pictures are not compared, since their bytes depend on the versions of the libraries.",
        *(_figure(number, figure) for number, figure in enumerate(figures, start=1)),
    ]
    if lacking:
        parts += ["## Not drawn", "\n".join(map(_line, lacking))]
    return "\n\n".join(parts) + "\n"


def _figure(number: int, figure: Planned) -> str:
    return (
        f"## {number}. {escape(figure.title)}\n\n"
        f"![{escape(figure.title)}]({figure.name}.png)\n\n"
        f"{escape(figure.caption)} Numbers: [{figure.name}.csv]({figure.name}.csv)."
    )


def _line(missing: Lacking) -> str:
    made = f"; `{missing.remedy}` makes it" if missing.remedy else ""
    return f"- {escape(missing.title)}: {escape(missing.why)}{made}."


def table(rows: Sequence[Row]) -> str:
    """The numbers of a figure as CSV, to six digits: what no machine's rounding reaches."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) >= 1e-9 else "0"
    return str(value)
