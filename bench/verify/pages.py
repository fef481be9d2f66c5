"""Every page and table as it stands beside what the records draw now."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cluster.estimates import page_estimates
from bench.cluster.record import PARTS as CLUSTER_PARTS
from bench.cluster.record import load as load_cluster
from bench.engine.record import load as load_engine
from bench.errors import InputError
from bench.plan import present_checksums
from bench.race.record import load_all as load_races
from bench.records.audit import load_all as load_audits
from bench.records.schema import Record
from bench.records.store import Store
from bench.regress.trial_record import load as load_trial
from bench.report.audits import Audits, audits_for
from bench.report.brief import BRIEF
from bench.report.cache import without_cache
from bench.report.claims.page import HTML as CLAIMS_HTML
from bench.report.claims.page import PAGE as CLAIMS_PAGE
from bench.report.claims.page import claims_documents
from bench.report.cluster import PAGE as CLUSTER_PAGE
from bench.report.cluster import cluster_page
from bench.report.collect import collect
from bench.report.control.page import PAGE as CONTROL_PAGE
from bench.report.control.page import control_page
from bench.report.data_page import PAGE as DATA_PAGE
from bench.report.data_page import SHEETS, data_page, sheet_name
from bench.report.engine import PAGE as ENGINE_PAGE
from bench.report.engine import PARTS, engine_page
from bench.report.figures.draw import FOLDER as FIGURES
from bench.report.figures.draw import plan_figures
from bench.report.page.write import PAGE as SUITE_PAGE
from bench.report.races import PAGE as RACES_PAGE
from bench.report.races import race_page
from bench.report.readme import MARKER, embed
from bench.report.regress.page import PAGES as GATE_PAGES
from bench.report.regress.page import gate_documents
from bench.report.regress.trends import HTML as TRENDS_HTML
from bench.report.regress.trends import PAGE as TRENDS_PAGE
from bench.report.regress.trends import trends_documents
from bench.report.regress.trial_page import PAGE as TRIAL_PAGE
from bench.report.regress.trial_page import trial_page
from bench.report.scale.page import PAGE as SCALE_PAGE
from bench.report.scale.page import scale_page
from bench.report.scale.record import load as load_scale
from bench.report.search import PAGE as SEARCH_PAGE
from bench.report.search import model_table, search_page
from bench.report.selection import PAGE as SELECTION_PAGE
from bench.report.selection import selection_document
from bench.report.simulations import PAGE as SIMULATIONS_PAGE
from bench.report.simulations import simulation_table, simulations_page
from bench.report.tables import main_table, write_tables
from bench.report.trust import PAGE as TRUST_PAGE
from bench.report.trust import trust_page
from bench.search.file import known_searches, load_search
from bench.search.record import load_all as load_trials
from bench.simulate.record import load as load_simulations
from bench.staleness import Staleness
from bench.study.record import load_all as load_studies
from bench.suite import Suite, load_suite, suite_names
from bench.toml_file import shown
from bench.trust.record import load as load_trust
from bench.verify.cells import moved
from bench.verify.finding import NOTHING, Finding

DRAWN = (".md", ".csv", ".html", ".tex", ".bib")  # pictures are not drawn anew, nor a suite's page
FORMS = (".tex", ".html")  # of tables: of a suite all are kept, or none


@dataclass
class Pages:
    """Compares what stands under ``reports`` with what the records of ``store`` give."""

    store: Store
    records: Sequence[Record]
    reports: Path

    def __post_init__(self) -> None:
        self.staleness = Staleness.load(self.store.root)

    def of_suite(self, suite: Suite) -> list[Finding]:
        """The tables of one suite."""
        folder = self.reports / suite.name

        def draw() -> dict[str, str]:
            records, checksums, audits = self._inputs(suite)
            with tempfile.TemporaryDirectory() as drawn:
                paths = write_tables(
                    suite, records, Path(drawn), checksums, audits, self.staleness, self.store
                )
                every = {path.name: path.read_text(encoding="utf-8") for path in paths}
            return {n: text for n, text in every.items() if Path(n).suffix not in unkept}

        kept = {path.name for path in folder.glob("*") if path.suffix in DRAWN} - {SUITE_PAGE}
        unkept = set(FORMS) - {Path(name).suffix for name in kept}
        return _compared(folder, kept, draw) + self._figures(suite)

    def _figures(self, suite: Suite) -> list[Finding]:
        """The numbers and captions of its figures, if there are any, and the pictures' names."""
        folder = self.reports / suite.name / FIGURES
        if not folder.is_dir():
            return []

        def draw() -> dict[str, str]:
            records, checksums, _ = self._inputs(suite)
            return plan_figures(suite, records, self.store, checksums, self.staleness).documents()

        kept = {path.name for path in folder.glob("*") if path.suffix in DRAWN}
        numbers = {Path(name).stem for name in kept if name.endswith(".csv")}
        pictures = {path.stem for path in folder.glob("*.png")}
        lacking = [folder / f"{name}.png" for name in sorted(numbers - pictures)]
        return [
            *_compared(folder, kept, draw),
            *(Finding(shown(path), "the picture", NOTHING, "drawn") for path in lacking),
            *(_undrawn(folder / f"{name}.png") for name in sorted(pictures - numbers)),
        ]

    def at_top(self) -> list[Finding]:
        """The pages that belong to no suite, and the names of the contact sheets."""
        kept = {path.name for path in self.reports.glob("*") if path.suffix in DRAWN}
        found = []
        for names, draw in self._pages().items():
            here = kept & set(names)
            kept -= here
            if here:
                found += _compared(self.reports, here, _only(here, draw))
        found += [_undrawn(self.reports / name) for name in sorted(kept)]
        return found + self._sheets()

    def in_document(self, path: Path) -> list[Finding]:
        """The tables between markers in one document."""
        text = now = path.read_text(encoding="utf-8")
        found = []
        for name in dict.fromkeys(MARKER.findall(text)):
            try:
                table = self._embedded(name)
                if table is None:
                    found.append(Finding(shown(path), f"table {name}", "a table", NOTHING))
                else:
                    now = embed(now, name, table)
            except _UNDRAWABLE as error:
                found.append(Finding(shown(path), f"table {name}", "a table", _told(error)))
        return found + moved(shown(path), text, now)

    def _embedded(self, name: str) -> str | None:
        if name.removesuffix(BRIEF) in suite_names():
            suite = load_suite(name.removesuffix(BRIEF))
            inputs, brief = self._inputs(suite), name.endswith(BRIEF)
            return main_table(suite, *inputs, self.staleness, brief=brief)
        if name in known_searches():
            return model_table(load_search(name), load_trials(self.store.root), self.records)
        if name == "simulations":
            return simulation_table(load_simulations(self.store.root))
        return None

    def _inputs(self, suite: Suite) -> tuple[list[Record], Mapping[str, str], Audits]:
        records, checksums = [*self.records], present_checksums(suite)
        collected = collect(suite, records, checksums)
        return records, checksums, audits_for(collected, load_audits(self.store.root), self.store)

    def _pages(self) -> dict[tuple[str, ...], Callable[[], dict[str, str]]]:
        root = self.store.root

        def searches() -> str:
            every = [load_search(name) for name in known_searches()]
            return search_page(every, load_trials(root), self.records, self.staleness)

        def engine() -> str:
            return engine_page({part: load_engine(root, part) for part in PARTS})

        def cluster() -> str:
            parts = {part: load_cluster(root, part) for part in CLUSTER_PARTS}
            return cluster_page(parts, page_estimates(self.records))

        return {
            (RACES_PAGE,): lambda: {RACES_PAGE: race_page(load_races(root))},
            (SEARCH_PAGE,): lambda: {SEARCH_PAGE: searches()},
            (TRUST_PAGE,): lambda: {TRUST_PAGE: trust_page(load_trust(root))},
            (SIMULATIONS_PAGE,): lambda: {
                SIMULATIONS_PAGE: simulations_page(load_simulations(root))
            },
            (SCALE_PAGE,): lambda: {SCALE_PAGE: scale_page(load_scale(root))},
            (ENGINE_PAGE,): lambda: {ENGINE_PAGE: engine()},
            (CLUSTER_PAGE,): lambda: {CLUSTER_PAGE: cluster()},
            (DATA_PAGE,): lambda: {DATA_PAGE: data_page(load_audits(root))},
            (CONTROL_PAGE,): lambda: {CONTROL_PAGE: control_page(self.records, self.staleness)},
            (SELECTION_PAGE,): lambda: {SELECTION_PAGE: selection_document(load_studies(root))},
            (TRIAL_PAGE,): lambda: {TRIAL_PAGE: trial_page(load_trial(root))},
            (TRENDS_PAGE, TRENDS_HTML): lambda: trends_documents(root),
            GATE_PAGES: lambda: gate_documents(self.reports),
            (CLAIMS_PAGE, CLAIMS_HTML): lambda: claims_documents(root, self.reports),
        }

    def _sheets(self) -> list[Finding]:
        try:
            wanted = {sheet_name(audit) for audit in load_audits(self.store.root)}
        except InputError as error:
            return [Finding(error.file or "", "an audit", "a record", error.problem)]
        folder = self.reports / SHEETS
        kept = {path.name for path in folder.glob("*.png")}
        lacking = (
            [
                Finding(shown(folder / n), "contact sheet", NOTHING, "a sheet")
                for n in sorted(wanted - kept)
            ]
            if kept
            else []
        )
        return lacking + [_undrawn(folder / name) for name in sorted(kept - wanted)]


_UNDRAWABLE = (InputError, ValueError, KeyError, IndexError)
"""What changed predictions or a damaged record can do to a page; each is told, none passed over."""


def _told(error: Exception) -> str:
    return f"not to be drawn ({error})"


def _only(names: set[str], draw: Callable[[], dict[str, str]]) -> Callable[[], dict[str, str]]:
    return lambda: {name: text for name, text in draw().items() if name in names}


def _compared(folder: Path, kept: set[str], draw: Callable[[], dict[str, str]]) -> list[Finding]:
    try:
        with without_cache():
            drawn = draw()
    except _UNDRAWABLE as error:
        return [Finding(shown(folder), ", ".join(sorted(kept)), "drawn", _told(error))]
    found = []
    for name, now in drawn.items():
        path = folder / name
        if name in kept:
            found += moved(shown(path), path.read_text(encoding="utf-8"), now)
        else:
            found.append(Finding(shown(path), "the file", NOTHING, "drawn"))
    return found + [_undrawn(folder / name) for name in sorted(kept - drawn.keys())]


def _undrawn(path: Path) -> Finding:
    return Finding(shown(path), "the file", "a page", "drawn by nothing")
