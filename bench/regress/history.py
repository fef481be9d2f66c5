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
    return Revision(
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
    """Write one record whole or not at all; returns its path."""
    path = results / FOLDER / f"{revision.commit[:12]}.json"
    save_single(revision, path)
    return path


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
