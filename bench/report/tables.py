"""The tables of a suite, drawn from its records alone, and where they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import InputError
from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.report.accuracy import accuracy_table
from bench.report.audits import NO_AUDITS, Audits
from bench.report.brief import brief_table
from bench.report.collect import Collected, collect
from bench.report.context import Context
from bench.report.documents import Document, suite_documents
from bench.report.folder import reports_folder
from bench.report.footnotes import Footnotes
from bench.report.published import published_for, read_published
from bench.report.reading import read_all
from bench.report.references import load_references, reference_documents
from bench.report.table.csv import rows_csv, table_csv
from bench.report.table.html import table_html
from bench.report.table.latex import all_tables, table_latex
from bench.report.table.macros import NAME as MACROS
from bench.report.table.macros import macros
from bench.report.table.markdown import notes_markdown, table_markdown
from bench.report.table.model import Table
from bench.staleness import ALL_STALE, Staleness
from bench.suite import Suite, suite_names


def with_predictions(
    suite: Suite, store: Store, checksums: Mapping[str, str] | None = None
) -> list[Record]:
    """Every record of a store, once it is sure that the suite's own have their predictions.

    Raises:
        InputError: one is damaged, or predictions of one of the suite's are gone or changed.
    """
    records = read_all(store)
    check_predictions(collect(suite, records, checksums), store)
    return records


def check_predictions(collected: Collected, store: Store) -> None:
    """Refuse to draw from trainings whose predictions are not the very bytes they left.

    Raises:
        InputError: naming the first.
    """
    for record in collected.records:
        if not store.has_predictions(record):
            raise InputError(
                "the predictions its scores rest on are missing or changed",
                remedy=f"`python -m bench run {collected.suite.reference}` makes it anew",
                file=str(store.path(record.id)),
            )


def suite_tables(
    suite: Suite,
    records: Sequence[Record],
    checksums: Mapping[str, str] | None = None,
    audits: Audits = NO_AUDITS,
    staleness: Staleness = ALL_STALE,
    store: Store | None = None,
) -> list[Table]:
    """Every table of a suite in the order of its documents; each is complete in itself.

    Args:
        store: with the predictions of these records; None: tables that need them are left out.

    Raises:
        InputError: ``results/published.csv`` cannot be used, or predictions cannot be read.
    """
    context = _context(suite, records, checksums, audits, staleness)
    documents = suite_documents(context, records, store)
    return [table for document in documents for table in document.tables]


def write_tables(
    suite: Suite,
    records: list[Record],
    folder: Path,
    checksums: Mapping[str, str] | None = None,
    audits: Audits = NO_AUDITS,
    staleness: Staleness = ALL_STALE,
    store: Store | None = None,
) -> list[Path]:
    """Write each document as ``.md``, each table in it as ``.csv``, ``.tex`` and ``.html``, and
    ``tables.tex``, which prints them all; ``macros.tex``, ``references.bib``, ``licences.md``.

    Returns their paths; a suite that trains nothing has no accuracies, ablations and verdicts.
    Verdicts need the ``store`` with the predictions of these records.

    The same records give the same bytes.

    Raises:
        InputError: ``results/published.csv`` or ``references.toml`` cannot be used, or
            predictions cannot be read.
    """
    context = _context(suite, records, checksums, audits, staleness)
    files: dict[str, str] = {}
    documents = suite_documents(context, records, store)
    for document in documents:
        files |= _drawn(document, suite.name)
    files["tables.tex"] = all_tables([name for name in files if name.endswith(".tex")])
    quoted = [t for d in documents for t in d.tables if t.name in ("accuracy", "ablations", "cost")]
    files[MACROS] = macros(quoted, suite.name)
    files |= reference_documents(suite, load_references())
    for name, text in files.items():
        write_atomic(folder / name, text.encode())
    return [folder / name for name in files]


def own_folder(suite: Suite, results: Path) -> Path:
    """The folder of a suite's documents: in `reports/`, or in that of another results folder.

    Raises:
        InputError: it is that of another suite.
    """
    if suite.reference != suite.name and suite.name in suite_names():
        raise InputError(
            f"its tables would replace those of the project's suite {suite.name!r}",
            remedy="rename the file, or name another folder with --output",
            file=suite.reference,
        )
    return reports_folder(results) / suite.name


def main_table(
    suite: Suite,
    records: list[Record],
    checksums: Mapping[str, str] | None = None,
    audits: Audits = NO_AUDITS,
    staleness: Staleness = ALL_STALE,
    *,
    brief: bool = False,
) -> str:
    """The main comparison alone, whole or in brief, with its footnotes, as Markdown."""
    context = _context(suite, records, checksums, audits, staleness)
    notes, drawn = Footnotes(), brief_table if brief else accuracy_table
    parts = [table_markdown(drawn(context), notes), notes_markdown(notes)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _context(
    suite: Suite,
    records: Sequence[Record],
    checksums: Mapping[str, str] | None,
    audits: Audits,
    staleness: Staleness,
) -> Context:
    collected = collect(suite, records, checksums, staleness)
    return Context(collected, published_for(suite, read_published()), audits=audits)


def _drawn(document: Document, suite: str) -> dict[str, str]:
    """File name → text."""
    texts, notes = [], Footnotes()
    for part in document.parts:
        texts += [part] if isinstance(part, str) else [part.read, table_markdown(part, notes)]
    texts.append(notes_markdown(notes))
    page = "\n\n".join(text.rstrip() for text in texts if text.strip()) + "\n"
    files = {f"{document.name}.md": page}
    if document.listed is None:
        files |= {f"{table.name}.csv": table_csv(table) for table in document.tables}
    else:
        files |= {f"{name}.csv": rows_csv(rows) for name, rows in document.listed.items()}
    for table in document.tables:
        files[f"{table.name}.tex"] = table_latex(table, suite)
        files[f"{table.name}.html"] = table_html(table, suite)
    return files
