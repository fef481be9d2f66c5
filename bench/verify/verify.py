"""Everything published, recomputed from what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import InputError
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.collect import collect
from bench.report.folder import reports_folder
from bench.search.record import load_all as load_trials
from bench.specs import RunSpec
from bench.suite import Suite, load_suite, suite_names
from bench.toml_file import ROOT, shown
from bench.verify.finding import NOTHING, Finding
from bench.verify.insight import check_insights
from bench.verify.labels import LabelFiles
from bench.verify.pages import Pages
from bench.verify.runs import check_run, check_trial
from bench.verify.trace import trace, unpublished

OnProgress = Callable[[str, float], None]


@dataclass
class Verified:
    """What was looked at and what does not hold.

    Attributes:
        counts: how many runs, trials and suites were looked at.
        unlabelled: why labels could not be compared with the data set's, and of how many runs.
        lines: runs started beside runs published.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unlabelled: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)


def verify(
    results: Path,
    names: Sequence[str] = (),
    reports: Path | None = None,
    on_progress: OnProgress = lambda _, __: None,
) -> Verified:
    """Recompute scores and redraw pages; with ``names`` of those suites alone.

    Raises:
        InputError: a suite cannot be used, or MEDMNIST_ROOT is not a folder.
    """
    folder = reports or reports_folder(results)
    store, done = Store(results), Verified()
    suites = [load_suite(name) for name in names or _reported(folder)]
    records, damaged = store.readable()
    done.findings += [_damaged(line) for line in damaged]
    own = {d.name: Path(d.path) for s in suites for d in s.datasets if d.path is not None}
    wanted = _wanted(records, suites, everything=not names)
    files = LabelFiles(own)
    for place, record in enumerate(wanted):
        on_progress(f"run {record.id}", place / len(wanted))
        assert isinstance(record.spec, RunSpec)
        assert record.training is not None
        labels = files.of(record.spec, record.training.data)
        done.unlabelled += Counter([labels] if isinstance(labels, str) else [])
        done.findings += check_run(record, store, labels)
        done.counts["runs"] += 1
    pages = Pages(store, records, folder)
    published: set[str] = set()
    for place, suite in enumerate(suites):
        on_progress(f"tables of {suite.name}", place / len(suites))
        done.counts["suites"] += 1
        if (folder / suite.name).is_dir():
            done.findings += pages.of_suite(suite)
        else:
            done.lines.append(f"{suite.name}: no tables in {shown(folder / suite.name)}.")
        traced = trace(suite, records)
        published |= traced.shown
        done.lines += traced.lines if suite.cells else []
    if not names:
        _everything_else(done, store, pages, published, records, on_progress)
    return done


def _everything_else(
    done: Verified,
    store: Store,
    pages: Pages,
    published: set[str],
    records: list[Record],
    on_progress: OnProgress,
) -> None:
    on_progress("trials and pages", 0.9)
    try:
        trials = load_trials(store.root)
    except InputError as error:
        trials = {}
        done.findings.append(Finding(error.file or "", "trial", "a record", error.problem))
    for trial in trials.values():
        done.findings += check_trial(trial, store)
        done.counts["trials"] += 1
    done.findings += pages.at_top() + _orphans(store) + check_insights(store)
    if store.root == ROOT / "results":
        for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
            done.findings += pages.in_document(path)
    done.lines += unpublished(records, published)


def _reported(folder: Path) -> list[str]:
    """The project's suites that have tables."""
    return [name for name in suite_names() if (folder / name).is_dir()]


def _wanted(records: list[Record], suites: list[Suite], *, everything: bool) -> list[Record]:
    """The finished trainings to check: of some suites, or all there are."""
    shown_ids = {r.id for suite in suites for r in collect(suite, records).records}
    return [
        record
        for record in records
        if record.training is not None and (everything or record.id in shown_ids)
    ]


def _damaged(line: str) -> Finding:
    file, _, why = line.partition(": ")
    return Finding(shown(Path(file)), "record", "a record", why)


def _orphans(store: Store) -> list[Finding]:
    """Predictions whose record is gone."""
    return [
        Finding(shown(path), "its record", NOTHING, "one, as predictions are kept by a record")
        for path in sorted(store.folder.glob("*.npz"))
        if not path.with_suffix(".json").exists()
    ]
