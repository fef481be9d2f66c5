"""All that a suite's page says, from the suite and its records."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.records.audit import AuditRecord
from bench.records.audit import load_all as load_audits
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.audits import audits_for
from bench.report.collect import Collected, Variant, collect, training_of
from bench.report.context import Context
from bench.report.control.summary import control_line
from bench.report.documents import Document, runs_shown, suite_documents
from bench.report.figures.draw import FOLDER, plan_figures
from bench.report.figures.planned import counted
from bench.report.page.blocks import Block, blocks, tables_in
from bench.report.page.cards import Card, Cards
from bench.report.page.claims import claim_lines, claims_page
from bench.report.page.content import Content, Section
from bench.report.page.document import records_of
from bench.report.page.glance import glance, in_words, tallies
from bench.report.page.missing import (
    missing_audits,
    missing_costs,
    missing_figures,
    missing_runs,
)
from bench.report.page.pictures import pictures
from bench.report.published import published_for, read_published
from bench.report.shown import seeds_told, what_is_shown
from bench.report.verdicts.analysis import Analysis
from bench.report.verdicts.findings import stored_analyses
from bench.staleness import ALL_STALE, Staleness
from bench.suite import Suite

FIRST, LAST = "verdicts", "provenance"  # documents with a place of their own


def gather(
    suite: Suite,
    records: Sequence[Record],
    store: Store,
    folder: Path,
    checksums: Mapping[str, str] | None = None,
    staleness: Staleness = ALL_STALE,
) -> Content:
    """What the page says; the same records give the same content.

    Args:
        store: holds the predictions of ``records``.
        folder: where the page will lie; its links to other pages start there.

    Raises:
        InputError: an audit, predictions, the claims or ``results/published.csv`` cannot be used.
    """
    records = sorted(records, key=lambda record: record.id)
    collected = collect(suite, records, checksums, staleness)
    audits = load_audits(store.root)
    context = Context(collected, published_for(suite, read_published()))
    context.audits = audits_for(collected, audits, store)
    found = stored_analyses(collected, store)
    detected = [control_line(records, staleness)] if suite.cells else []
    documents = suite_documents(context, records, store)
    verdicts, *others, provenance = _sections(documents, collected, found, detected)
    plans = plan_figures(suite, records, store, checksums, staleness)
    drawn, lacking = pictures(plans.figures, FOLDER), missing_figures(plans.lacking)
    missing = [
        *missing_runs(collected, records),
        *missing_costs(collected),
        *missing_audits(collected, context.audits),
    ]
    tables = [t for s in (verdicts, *others, provenance) for t in tables_in(s.blocks)]
    needed = {*records_of(tables), *(one for picture in drawn for one in picture.records)}
    needed.update(one for lack in missing for one in lack.records)
    cards = Cards(suite, collected.stale)
    made = list(_cards(cards, needed, [*collected.records, *records], audits))
    return Content(
        suite=suite.name,
        about=suite.settings.about,
        facts=list(_facts(context)),
        tallies=[tally for analysis in found.values() for tally in tallies(analysis)],
        lines=[*in_words(collected, found), *detected],
        verdicts=verdicts,
        sections=others,
        pictures=drawn,
        not_drawn=lacking,
        claims=claim_lines(suite, store.root, folder),
        claims_page=claims_page(store.root, folder),
        missing=missing,
        makes_all=_makes_all(collected),
        left_out=collected.left_out,
        provenance=provenance,
        cards=made,
        shared=list(cards.shared.values()),
        command=f"python -m bench page {shlex.quote(suite.reference)}",
    )


def _sections(
    documents: Iterable[Document],
    collected: Collected,
    found: Mapping[Variant, Analysis],
    detected: Sequence[str],
) -> list[Section]:
    """The verdicts, glanced at before they are read; the other documents; the provenance."""
    about = collected.suite.settings.about
    said = [about, *_split(what_is_shown(collected), runs_shown(collected)), *detected]
    sections = {document.name: _section(document, said) for document in documents}
    verdicts = sections.pop(FIRST, Section(FIRST, "Verdicts"))
    glanced = [Block(3, table=table) for table in glance(collected, found)]
    first = Section(FIRST, verdicts.title, [*glanced, *verdicts.blocks])
    last = sections.pop(LAST, Section(LAST, "Provenance"))
    return [first, *sections.values(), last]


def _section(document: Document, without: Sequence[str]) -> Section:
    """A document as a section; its title is that of the document, without the suite's name."""
    head = next((part for part in document.parts if isinstance(part, str)), "")
    named = re.match(r"# (.+?)(?:: suite .*)?$", head, re.MULTILINE)
    title = named[1] if named else document.name.capitalize()
    return Section(document.name, title, blocks(title, document.parts, without))


def _split(*texts: str) -> Iterator[str]:
    for text in texts:
        yield from (part.strip() for part in text.split("\n\n"))


def _cards(
    cards: Cards, needed: set[str], records: Iterable[Record], audits: Iterable[AuditRecord]
) -> Iterator[Card]:
    """The cards of the records needed: trainings in the suite's order, then the others."""
    done: set[str] = set()
    for record in records:
        if record.id in needed and record.id not in done:
            done.add(record.id)
            yield cards.of(record)
    for audit in audits:
        card = cards.of_audit(audit)
        if card.id in needed:
            yield card


def _makes_all(collected: Collected) -> list[str]:
    lacking = {"run": collected.problems, "measure": collected.cost_problems}
    reference = shlex.quote(collected.suite.reference)
    return [f"python -m bench {verb} {reference}" for verb, found in lacking.items() if found]


def _facts(context: Context) -> Iterator[tuple[str, str]]:
    collected = context.collected
    suite, settings = collected.suite, collected.suite.settings
    if suite.cells:
        kinds = {training_of(record).data.synthetic for record in collected.records}
        words = {True: "**synthetic**", False: "real"}
        yield "data", " and ".join(words[kind] for kind in sorted(kinds)) or "no finished run"
        total = len(suite.cells)
        yield "runs shown", f"{total - len(collected.problems)} of {total}"
    size = f"{settings.source_size} px fed at {settings.image_size} px"
    yield "images", size if suite.cells else f"{settings.image_size} px"
    if suite.cells:
        yield "protocol", f"`{suite.protocol_name}`"
        yield "seeds", seeds_told(collected)
        yield "checkpoint", f"chosen on validation ({suite.protocol.select})"
    if collected.variants:
        yield "device", "; ".join(map(str, collected.variants))
    yield "costs measured", f"{len(collected.costs)}"
    if collected.stale:
        yield "stale", counted(len(collected.stale), "record")
