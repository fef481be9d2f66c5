"""What rests on a record: the suites whose tables take it, documents that name it, claims."""

from __future__ import annotations

from collections.abc import Iterator

from bench.errors import InputError
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.claims.file import CLAIMS
from bench.report.claims.judge import judge_claims
from bench.report.collect import Collected, collect
from bench.report.folder import reports_folder
from bench.suite import load_suite, suite_names


def built_on(store: Store, record: Record) -> Iterator[str]:
    """A line for each kind; where nothing takes it, that."""
    records = store.readable()[0]
    suites = [
        name
        for name in suite_names()
        if record.id in _ids(collect(load_suite(name), records)) and record.status == "done"
    ]
    if suites:
        yield f"taken by the tables of: {', '.join(suites)}"
    folder = reports_folder(store.root)
    named = [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".csv", ".md", ".html") and record.id in path.read_text("utf-8")
    ]
    if named:
        yield f"named in {folder.name}/: {', '.join(named)}"
    claims = _claims(store, record)
    if claims:
        yield f"claims that rest on it: {', '.join(claims)}"
    if not (suites or named or claims):
        yield "taken by: no table, figure or claim"


def _ids(collected: Collected) -> set[str]:
    shown = [*collected.records, *collected.costs.values(), *collected.details]
    return {record.id for record in shown}


def _claims(store: Store, record: Record) -> list[str]:
    try:
        audit = judge_claims(store.root, CLAIMS)
    except InputError:  # which is for `claims` to tell
        return []
    return [
        judged.claim.id
        for judged in audit.claims
        if any(
            link.path.stem == record.id for one in judged.judgement.evidence for link in one.links
        )
    ]
