"""The data sets of a suite: what they hold, and what their audits found."""

from __future__ import annotations

from collections.abc import Sequence

from bench.provenance import audit_digest
from bench.records.audit import FOLDER, AuditRecord
from bench.records.schema import Record
from bench.report.audits import how_to_audit
from bench.report.collect import training_of
from bench.report.context import STALE, Context
from bench.report.table.model import Cell, Table, columns_of
from bench.report.text import BLANK
from bench.specs import RunSpec

NAME = "data-audit"
_FOUND = ("exact copies in test", "near copies in test", "of these, another label", "flat images")
_SEEN = (
    *("task", "classes", "train images", "val images", "test images"),
    *("commonest class in test (%)", "licence", "checksum"),
)


def audit_table(context: Context) -> Table:
    """One row a data set of the suite."""
    suite = context.collected.suite
    rows = []
    for dataset in suite.datasets:
        shown = [r for r in context.collected.records if _of(r, dataset.name)]
        audit = context.audits.by_name.get(dataset.name)
        train = f"`python -m bench run {suite.reference}` trains them"
        notes = [] if shown else [f"{dataset.name}: no run on it is finished; {train}."]
        synthetic = bool(shown) and training_of(shown[0]).data.synthetic
        if audit is None and shown and not synthetic:
            how = how_to_audit(dataset.name, dataset.path, suite.settings.source_size)
            notes.append(f"{dataset.name}: {how}.")
        row = {"data set": context.cell(dataset.name, None, shown, notes)}
        rows.append(row | _seen(context, shown) | _found(context, audit, synthetic=synthetic))
    words = ["data set", "task", "licence", "checksum"]
    columns = columns_of(rows, words=words)
    return context.table(NAME, "The data", columns, rows, read=_READ)


def _of(record: Record, dataset: str) -> bool:
    return isinstance(record.spec, RunSpec) and record.spec.data.name == dataset


def _seen(context: Context, shown: Sequence[Record]) -> dict[str, Cell]:
    """What its trainings saw."""
    if not shown:
        return dict.fromkeys(_SEEN, Cell(BLANK, state="missing"))
    spec, data, test = shown[0].spec, training_of(shown[0]).data, training_of(shown[0]).test
    assert isinstance(spec, RunSpec)
    commonest = 100 * max(one.support for one in test.per_class) / test.images
    kind = "synthetic, " if data.synthetic else ""
    told: dict[str, tuple[str, float | None]] = {
        "task": (kind + data.task, None),
        "classes": (str(len(data.class_names)), len(data.class_names)),
        **{f"{name} images": (f"{n:,}", n) for name, n in data.images.items()},
        "commonest class in test (%)": (f"{commonest:.1f}", commonest),
        "licence": (data.licence or BLANK, None),
        "checksum": (spec.data.checksum, None),
    }
    return {key: context.cell(*told.get(key, (BLANK, None)), shown) for key in _SEEN}


def _found(context: Context, audit: AuditRecord | None, *, synthetic: bool) -> dict[str, Cell]:
    """What its audit found; a synthetic one has no other source to be a copy of."""
    if audit is None:
        return {} if synthetic else dict.fromkeys(_FOUND, Cell(BLANK, state="missing"))
    stale = audit.provenance.source_digest != audit_digest()
    marks = context.notes.numbers([STALE] if stale else [])
    copies = audit.contaminated_test
    counts = (
        *(len(copies.exact), len(copies.near), len(copies.labels_differ)),
        sum(len(split.flat) for split in audit.splits),
    )
    records, state = (f"{FOLDER}/{audit.stem}",), "stale" if stale else "shown"
    return {
        key: Cell(f"{n:,}", n, records, marks, state=state)  # type: ignore[arg-type]
        for key, n in zip(_FOUND, counts, strict=True)
    }


_READ = (
    "*Exact*: test images whose very bytes stand in train or val too. *Near*: others that are "
    "highly alike to one there. *Another label*: the copy there carries another one. *Flat*: next "
    "to one grey level, in any split. Which images they are, and at which likeness, is in "
    "`reports/data.md`."
)
