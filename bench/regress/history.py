"""One small record per revision, ``results/history/``: what its gate found, to tell trends by.

Times are kept against a yardstick that no revision changes and that was timed in the same rounds:
seconds of one process are not comparable with those of another.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import ValidationError

from bench.errors import InputError
from bench.records.base import Stored
from bench.records.single import save_single
from bench.regress.judge import relative_to_yardstick
from bench.regress.record import ExactNumbers, GateReport, Machine
from bench.regress.settings import EXACT, PROCESSES, RUN_TIME
from bench.regress.tree import git
from bench.specs import describe_invalid
from bench.toml_file import shown

FOLDER = "history"  # below the results folder


class Revision(Stored):
    """What is kept of one revision.

    Attributes:
        auc: of test, by cell and seed.
        relative: seconds over the yardstick's, by row of run time.
        seconds: medians by row, of this machine alone.
        processes: medians by row, bytes or seconds of this machine alone.
        settings: what these are of (``settings.settings_of``), for what is here.
    """

    schema_version: Literal[1] = 1
    commit: str
    committed_at: datetime
    subject: str
    machine: Machine
    exact: dict[str, ExactNumbers]
    auc: dict[str, dict[int, float]] = {}
    relative: dict[str, float] = {}
    seconds: dict[str, float] = {}
    processes: dict[str, float] = {}
    settings: dict[str, str] = {}


def comparable(revision: Revision, settings: dict[str, str]) -> Revision:
    """Without what was measured with other settings, or with none that the record tells."""

    def same(name: str) -> bool:
        return revision.settings.get(name) == settings.get(name, "")

    return revision.model_copy(
        update={
            "exact": revision.exact if same(EXACT) else {},
            "auc": {label: scores for label, scores in revision.auc.items() if same(label)},
            "relative": revision.relative if same(RUN_TIME) else {},
            "seconds": revision.seconds if same(RUN_TIME) else {},
            "processes": revision.processes if same(PROCESSES) else {},
        }
    )


def revision_of(report: GateReport, repository: Path) -> Revision:
    """What a gate found of the working tree.

    Raises:
        InputError: the tree is no commit, or the gate could not even look at it.
    """
    commit, machine = report.candidate.commit, report.machine
    if commit is None or report.candidate.changed or machine is None:
        raise InputError(
            "nothing to record: the working tree is no commit, or could not be measured",
            remedy="commit first, and see the report",
            key="--record",
        )
    said = git(repository, "show", "-s", "--format=%cI%n%s", commit) or ""
    when, _, subject = said.partition("\n")
    measured = {
        EXACT: bool(report.exact["candidate"].models) if "candidate" in report.exact else False,
        RUN_TIME: bool(report.run_time),
        PROCESSES: bool(report.processes),
        **{cell.label: bool(cell.candidate) for cell in report.accuracy},
    }
    return Revision(
        settings={name: of for name, of in report.settings.items() if measured.get(name)},
        commit=commit,
        committed_at=datetime.fromisoformat(when),
        subject=subject,
        machine=machine,
        exact=report.exact["candidate"].models if "candidate" in report.exact else {},
        auc={
            cell.label: {t.seed: t.auc for t in cell.candidate if t.auc is not None}
            for cell in report.accuracy
        },
        relative={row.label: relative_to_yardstick(row) for row in report.run_time},
        seconds={
            row.label: median(median(passes) for passes in row.candidate_s)
            for row in report.run_time
        },
        processes={row.label: median(row.candidate) for row in report.processes},
    )


def save(revision: Revision, results: Path) -> Path:
    """Write one record whole or not at all; returns its path.

    What the same machine recorded of the commit before, with the same settings, stays.

    Raises:
        InputError: the record that is there is damaged.
    """
    path = results / FOLDER / f"{revision.commit[:12]}.json"
    save_single(_with_earlier(revision, _load(path)) if path.exists() else revision, path)
    return path


def _with_earlier(revision: Revision, earlier: Revision) -> Revision:
    if earlier.machine != revision.machine:
        return revision
    settings = earlier.settings | revision.settings
    kept = comparable(earlier, settings)
    parts = ("exact", "auc", "relative", "seconds", "processes")
    both = {name: getattr(kept, name) | getattr(revision, name) for name in parts}
    return revision.model_copy(update=both | {"settings": settings})


def load_all(results: Path) -> list[Revision]:
    """Every record, oldest commit first.

    Raises:
        InputError: one is damaged.
    """
    found = [_load(path) for path in sorted((results / FOLDER).glob("*.json"))]
    return sorted(found, key=lambda revision: (revision.committed_at, revision.commit))


def _load(path: Path) -> Revision:
    try:
        return Revision.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        why = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(
            f"damaged record: {why}",
            remedy="delete it and make it anew: python -m bench regress --record",
            file=shown(path),
        ) from None
