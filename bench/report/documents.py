"""The documents of a suite: paragraphs and tables in order, before they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.ablations import ablation_table
from bench.report.accuracy import accuracy_table, control_table
from bench.report.audit_table import audit_table
from bench.report.audits import audit_lines
from bench.report.collect import Collected
from bench.report.context import Context
from bench.report.cost import role_table
from bench.report.cost_page import cost_tables
from bench.report.missing_runs import missing_runs
from bench.report.per_class import per_class_table
from bench.report.provenance_table import provenance_table
from bench.report.published_table import published_table
from bench.report.shown import what_is_shown
from bench.report.table.markdown import Row as TextRow
from bench.report.table.markdown import lines as paragraph
from bench.report.table.model import Table
from bench.report.text import escape
from bench.report.verdicts.page import verdict_parts


@dataclass(frozen=True)
class Document:
    """One Markdown file, and the tables in it.

    Attributes:
        name: stem of the file.
        parts: paragraphs in Markdown, and tables.
        listed: rows of CSV files by their stem, in the place of one CSV a table; None: one each.
    """

    name: str
    parts: Sequence[str | Table]
    listed: Mapping[str, list[TextRow]] | None = field(default=None)

    @property
    def tables(self) -> list[Table]:
        return [part for part in self.parts if isinstance(part, Table)]


def suite_documents(
    context: Context, records: Sequence[Record], store: Store | None
) -> list[Document]:
    """Every document of a suite in order; one that trains nothing has its costs alone.

    Args:
        store: with the predictions that verdicts are drawn from; None: without them.

    Raises:
        InputError: predictions cannot be read.
    """
    trains, documents = bool(context.collected.suite.cells), []
    if trains:
        documents += [_accuracy(context), _alone(ablation_table(context.afresh()), context)]
    if trains and store is not None:
        documents.append(_alone(per_class_table(context.afresh(), store), context))
        documents.append(_verdicts(context, records, store))
    documents.append(_cost(context))
    macs = role_table(context.afresh())
    documents += [_alone(macs, context)] if macs.rows else []
    if trains:
        documents.append(_alone(audit_table(context.afresh()), context))
    return [*documents, _alone(provenance_table(context.afresh()), context)]


def _alone(table: Table, context: Context) -> Document:
    return Document(table.name, [_title(table.title, context), table])


def _accuracy(context: Context) -> Document:
    parts: list[str | Table] = [_title("Accuracy", context), accuracy_table(context.afresh())]
    for draw in (control_table, published_table):
        table = draw(context.afresh())
        if table.rows:
            parts += [f"## {table.title}", table]
    audited = audit_lines(context.collected, context.audits)
    parts += [paragraph(audited), runs_shown(context.collected)]
    return Document("accuracy", parts)


def _cost(context: Context) -> Document:
    first, *more = cost_tables(context)
    parts: list[str | Table] = [_title("Cost", context), first]
    for table in more:
        parts += [f"## {table.title}", table]
    return Document("cost", parts)


def _verdicts(context: Context, records: Sequence[Record], store: Store) -> Document:
    parts, listed = verdict_parts(context, records, store)
    return Document(
        "verdicts", [_title("Verdicts", context), what_is_shown(context.collected), *parts], listed
    )


def _title(what: str, context: Context) -> str:
    suite = context.collected.suite
    return f"# {what}: suite `{suite.name}`\n\n{suite.settings.about}"


def runs_shown(collected: Collected) -> str:
    """How many runs are shown, each that is missing, and what was left out."""
    total, open_cells = len(collected.suite.cells), collected.problems
    lines = [f"{total - len(open_cells)} of {total} runs of this suite are shown."]
    if open_cells:
        lines.append(f"Missing (`python -m bench run {collected.suite.reference}` makes them):\n")
        lines += [f"- {escape(one.what)}: {escape(one.why)}" for one in missing_runs(collected)]
    return "\n".join([*lines, *map(escape, collected.left_out)])
