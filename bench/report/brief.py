"""The main comparison in brief, for the head of a document: scores, sizes and speed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.report.accuracy import accuracy_table
from bench.report.audits import NO_AUDITS, commonest_share
from bench.report.collect import Collected, training_of
from bench.report.context import Context
from bench.report.cost_page import floor_sentence
from bench.report.table.model import Cell, Column, Row, Table
from bench.report.text import BLANK
from bench.report.verdicts.differences import count

BRIEF = ", brief"  # behind the name of the suite between markers: <!-- table: cpu, brief -->


def brief_table(context: Context) -> Table:
    """The accuracy table without published numbers and scores without copies, seeds in one column.

    What is left out, and what naming the commonest class alone would score, its legend says.
    """
    table = accuracy_table(replace(context.afresh(), published={}, audits=NO_AUDITS))
    names = [dataset.name for dataset in context.collected.suite.datasets]
    seeds = [f"{name} seeds" for name in names]
    columns = [column for column in table.columns if column.key not in seeds]
    columns.append(Column("seeds", "seeds"))
    rows = [{**row, "seeds": _seeds(row, seeds)} for row in table.rows]
    legend = [*table.legend, *_one_seed(rows), *_speed(context), *_seeds_told(names)]
    legend += [*_commonest(context.collected, names), *_copies(context, names)]
    return replace(table, columns=columns, rows=rows, legend=legend)


def _seeds(row: Row, keys: list[str]) -> Cell:
    """How many on each data set, or once where it is the same number on all."""
    cells = [row[key] for key in keys if key in row]
    texts = [cell.text for cell in cells]
    text = texts[0] if len(set(texts)) == 1 else " / ".join(texts)
    ids = tuple(dict.fromkeys(one for cell in cells for one in cell.records))
    return Cell(text, None, ids, state="missing" if text == BLANK else "shown")


def _one_seed(rows: Sequence[Row]) -> list[str]:
    found = any("[" in cell.text for row in rows for key, cell in row.items() if "ACC" in key)
    return ["Of one seed, ACC has its 95 % Wilson interval over test images in brackets."] * found


def _speed(context: Context) -> list[str]:
    """How images/s were measured, and what difference between two means nothing."""
    settings = context.collected.suite.settings
    if not context.collected.costs:
        return []
    return [
        f"Images/s: batches of {settings.cost.batch_size} images of {settings.image_size} px, "
        f"{count(settings.threads, 'thread')} on a CPU, eager. {floor_sentence(context)}".rstrip()
    ]


def _seeds_told(names: list[str]) -> list[str]:
    return [f"*seeds*: on {' / '.join(names)}; one number: on each."] if len(names) > 1 else []


def _commonest(collected: Collected, names: list[str]) -> list[str]:
    """What the commonest class of the test split alone would score on each data set."""
    shares = []
    for name in names:
        done = (r for r in collected.records if r.spec.label.split(" · ")[1] == name)
        test = next((training_of(record).test for record in done), None)
        if test is not None and sum(entry.support for entry in test.per_class) == test.images:
            shares.append(f"{name} {commonest_share(test)}")
    return [f"Always naming the commonest class is right on: {', '.join(shares)}."] * bool(shares)


def _copies(context: Context, names: list[str]) -> list[str]:
    told = []
    for name in names:
        audit = context.audits.by_name.get(name)
        if audit is None:
            told.append(f"{name}: not audited for copies across splits.")
        elif copies := len(audit.contaminated_test.images):
            told.append(f"{name}: {copies} of its test images have a copy in train or val.")
    return [*told, "Scores without copies and numbers published by others: in the whole table."]
