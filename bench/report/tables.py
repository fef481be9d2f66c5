"""The tables of a suite as Markdown and CSV, drawn from its records alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from bench.errors import InputError
from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.report.ablations import ablation_rows
from bench.report.accuracy import Context, Row, accuracy_rows, control_rows, published_list
from bench.report.audits import NO_AUDITS, Audits, audit_lines
from bench.report.collect import Collected, collect, training_of
from bench.report.cost import role_rows
from bench.report.cost_page import cost_parts
from bench.report.footnotes import Footnotes
from bench.report.published import published_for, read_published
from bench.report.text import escape
from bench.report.verdicts.page import verdict_parts
from bench.staleness import ALL_STALE, Staleness
from bench.suite import Suite, suite_names
from bench.toml_file import ROOT


def with_predictions(
    suite: Suite, store: Store, checksums: Mapping[str, str] | None = None
) -> list[Record]:
    """Every record of a store, once it is sure that the suite's own have their predictions.

    Raises:
        InputError: one is damaged, or predictions of one of the suite's are gone or changed.
    """
    records = store.all()
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


def write_tables(
    suite: Suite,
    records: list[Record],
    folder: Path | None = None,
    checksums: Mapping[str, str] | None = None,
    audits: Audits = NO_AUDITS,
    staleness: Staleness = ALL_STALE,
    store: Store | None = None,
) -> list[Path]:
    """Write ``accuracy``, ``ablations``, ``cost``, ``macs`` and ``verdicts`` as ``.md``, ``.csv``.

    Returns their paths; a suite that trains nothing has no accuracies, ablations and verdicts.
    Verdicts need the ``store`` with the predictions of these records.

    The same records give the same bytes.

    Raises:
        InputError: ``results/published.csv`` cannot be used, the default folder is another
            suite's, or predictions cannot be read.
    """
    folder = folder or own_folder(suite)
    collected = collect(suite, records, checksums, staleness)
    published = published_for(suite, read_published())
    documents: dict[str, str] = {}
    drawn = _TABLES if suite.cells else {name: _TABLES[name] for name in ("cost", "macs")}
    for name, draw in drawn.items():
        context = Context(collected, published, Footnotes(), audits)
        documents |= draw(name, context)
    if suite.cells and store is not None:
        context = Context(collected, published, Footnotes(), audits)
        documents |= _verdicts("verdicts", context, records, store)
    for name, text in documents.items():
        write_atomic(folder / name, text.encode())
    return [folder / name for name in documents]


def own_folder(suite: Suite) -> Path:
    """The folder of a suite's documents.

    Raises:
        InputError: it is that of another suite.
    """
    if suite.reference != suite.name and suite.name in suite_names():
        raise InputError(
            f"its tables would replace those of the project's suite {suite.name!r}",
            remedy="rename the file, or name another folder with --output",
            file=suite.reference,
        )
    return ROOT / "reports" / suite.name


def main_table(
    suite: Suite,
    records: list[Record],
    checksums: Mapping[str, str] | None = None,
    audits: Audits = NO_AUDITS,
    staleness: Staleness = ALL_STALE,
) -> str:
    """The main comparison alone, with its footnotes, as Markdown."""
    published = published_for(suite, read_published())
    collected = collect(suite, records, checksums, staleness)
    context = Context(collected, published, Footnotes(), audits)
    return _document([markdown(accuracy_rows(context)), *_notes(context)])


def _accuracy(name: str, context: Context) -> dict[str, str]:
    rows = accuracy_rows(context)
    parts = [_title("Accuracy", context), markdown(rows)]
    controls = control_rows(context)
    if controls:
        parts += ["## Input controls", _CONTROLS_READ, markdown(controls)]
    listed = published_list(context)
    if listed:
        parts += ["## Published, as printed", _PUBLISHED_READ, markdown(listed)]
    parts.append("\n".join(f"{line}  " for line in audit_lines(context.collected, context.audits)))
    parts += [_missing(context.collected), *_notes(context)]
    return {f"{name}.md": _document(parts), f"{name}.csv": to_csv(rows)}


def _ablations(name: str, context: Context) -> dict[str, str]:
    rows = ablation_rows(context)
    body = markdown(rows) if rows else "This suite has no ablations of `medspectralnet`."
    parts = [_title("Ablations", context), _ABLATIONS_READ, body, *_notes(context)]
    return {f"{name}.md": _document(parts), f"{name}.csv": to_csv(rows)}


def _cost(name: str, context: Context) -> dict[str, str]:
    paragraphs, tables = cost_parts(context)
    parts = [_title("Cost", context, trained=False)]
    for paragraph, rows in zip(paragraphs, tables.values(), strict=True):
        parts += [paragraph, markdown(rows)]
    documents = {f"{name}.md": _document([*parts, *_notes(context)])}
    for table, rows in tables.items():
        documents[f"{name}.csv" if table == "cost" else f"{name}-{table}.csv"] = to_csv(rows)
    return documents


def _macs(name: str, context: Context) -> dict[str, str]:
    rows = role_rows(context)
    if not rows:
        return {}
    parts = [_title("MACs by part", context, trained=False), _MACS_READ, markdown(rows)]
    return {f"{name}.md": _document(parts), f"{name}.csv": to_csv(rows)}


def _verdicts(name: str, context: Context, records: list[Record], store: Store) -> dict[str, str]:
    parts, tables = verdict_parts(context, records, store)
    drawn = [part if isinstance(part, str) else markdown(part) for part in parts]
    page = _document([_title("Verdicts", context, read=""), *drawn, *_notes(context)])
    return {f"{name}.md": page} | {f"{table}.csv": to_csv(rows) for table, rows in tables.items()}


_TABLES: dict[str, Callable[[str, Context], dict[str, str]]] = {
    "accuracy": _accuracy,
    "ablations": _ablations,
    "cost": _cost,
    "macs": _macs,
}

_MACS_READ = (
    "MACs of one image by the name of the part that does them, the numbers of stages and blocks "
    "left out, so that all blocks' parts of one name stand together."
)
_CONTROLS_READ = (
    "Every image of train, val and test alike has one cue taken away: `blur` removes fine texture, "
    "`shuffle` the layout. Each is a training of its own."
)
_PUBLISHED_READ = (
    "Numbers of others under their own protocols (resolution, pre-training, choice of checkpoint "
    "differ): for orientation, not for a verdict."
)
_ABLATIONS_READ = (
    "Δ is the ablated network minus the full one, paired by seed: same images, same order. A "
    "single seed shows no spread and decides nothing. The verdict is of the ablated network "
    "against the full one, over seeds: better, worse, equivalent (within the suite's region) or "
    "undecided; all ablations on all data sets are one family for ACC and one for AUC, each "
    "corrected by Holm."
)


_SPREAD_READ = (
    "Mean ± standard deviation over seeds; for one seed the 95 % Wilson interval over test images, "
    "in brackets. "
)


def _title(what: str, context: Context, *, trained: bool = True, read: str = _SPREAD_READ) -> str:
    """Heading and, of what was trained, the sentences that say what the table stands on."""
    collected = context.collected
    suite, settings = collected.suite, collected.suite.settings
    heading = f"# {what}: suite `{suite.name}`"
    if not trained:
        return f"{heading}\n\n{settings.about}"
    results = [training_of(record) for record in collected.records]
    kinds = {result.data.synthetic for result in results}
    shown = {True: "**synthetic data**", False: "real data"}
    data = " and ".join(shown[kind] for kind in sorted(kinds)) or "no finished runs"
    size = f"{settings.source_size} px source fed at {settings.image_size} px"
    seeds = ", ".join(map(str, suite.seeds))
    devices = "; ".join(map(str, collected.variants))
    lines = [
        heading,
        suite.settings.about,
        f"Shown: {data}; {size}; protocol `{suite.protocol_name}`; seeds {seeds}"
        + (f"; {devices}" if devices else "")
        + f". {read}The checkpoint is chosen on validation ({suite.protocol.select}); the test "
        "split is predicted once.",
    ]
    return "\n\n".join(lines)


def _missing(collected: Collected) -> str:
    total, open_cells = len(collected.suite.cells), collected.problems
    lines = [f"{total - len(open_cells)} of {total} runs of this suite are shown."]
    if open_cells:
        lines.append(f"Missing (`python -m bench run {collected.suite.reference}` makes them):\n")
        for cell, why in open_cells:
            control = f" under {cell.control.label}" if cell.control else ""
            lines.append(
                f"- {cell.model.name} × {cell.dataset.name}{control}, seed {cell.seed}: {why}"
            )
    return "\n".join([*lines, *collected.left_out])


def _notes(context: Context) -> list[str]:
    return ["\n".join(f"{line}  " for line in context.notes.lines())]


def _document(parts: list[str]) -> str:
    return "\n\n".join(part.rstrip() for part in parts if part.strip()) + "\n"


_WORDS = {
    "model",
    "part",
    "fastest form",
    "nearest limit",
    "what is removed",
    "device",
    "data set",
    "published as",
    "measured on",
    "split",
    "pairs",
    "claim",
    "as printed",
    "judged",
    "evidence",
    "records",
    "method",
    "world",
    "chosen by",
    "what was read",
    "where",
}


def markdown(rows: list[Row]) -> str:
    """A Markdown table; words left, numbers right."""
    if not rows:
        return "No rows."
    frame = pd.DataFrame(rows).fillna("–").map(escape)
    align = ["left" if name in _WORDS else "right" for name in frame.columns]
    return str(frame.to_markdown(index=False, disable_numparse=True, colalign=align))


def to_csv(rows: list[Row]) -> str:
    """The same cells as CSV; a table without rows has no header either."""
    if not rows:
        return ""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="–", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
