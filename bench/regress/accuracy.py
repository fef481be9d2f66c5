"""Trainings of both trees with the same seeds, look by look, until each cell is decided."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.errors import InputError
from bench.regress.file import Accuracy, Cell, GateFile
from bench.regress.processes import Probe, ProbeFailed, look
from bench.regress.record import CellTrainings, Training
from bench.regress.tree import Tree
from bench.statistics.sequential import Look, levels, look_at

Known = Mapping[str, Mapping[int, float]]
"""AUC by cell and seed, of a baseline that is no longer there to be trained."""


def looks_of(trained: CellTrainings, spec: Accuracy, known: Known | None = None) -> list[Look]:
    """The looks that were taken at a cell, up to the one that decided."""
    gaps = differences(trained, known)
    found: list[Look] = []
    shares = levels(spec.alpha_of_cell, spec.looks)
    for pairs, level in zip(spec.looks, shares, strict=True):
        if len(gaps) < pairs:
            break
        found.append(look_at(gaps[:pairs], margin=spec.margin, level=level))
        if found[-1].decision != "undecided":
            break
    return found


def differences(trained: CellTrainings, known: Known | None = None) -> list[float]:
    """AUC of the candidate less that of the baseline, by seed; those that have both."""
    first = {training.seed: training.auc for training in trained.baseline}
    if known is not None:
        first = {**known.get(trained.label, {})}
    gaps = []
    for training in trained.candidate:
        before = first.get(training.seed)
        if before is not None and training.auc is not None:
            gaps.append(training.auc - before)
    return gaps


def decided(trained: CellTrainings, spec: Accuracy, known: Known | None = None) -> bool:
    """Whether more seeds would add nothing."""
    if trained.unavailable or trained.data_differs:
        return True
    looks = looks_of(trained, spec, known)
    return bool(looks) and looks[-1].decision != "undecided"


def train_cells(
    spec: Accuracy,
    file: GateFile,
    candidate: Tree,
    baseline: Tree | None,
    *,
    known: Known | None = None,
    deadline: float,
    on_look: Callable[[int], None] = lambda pairs: None,
) -> list[CellTrainings]:
    """Both trees at the same time, a core each.

    Args:
        known: in the place of ``baseline``, what one that is gone scored.
        deadline: of ``time.monotonic``; the first look is taken whatever it says.

    Raises:
        ProbeFailed: trainings of the candidate fail.
        InputError: those of the baseline do.
    """
    cells = {cell.label: CellTrainings(label=cell.label) for cell in spec.cell}
    done, pace = 0, 0.0
    for pairs in spec.looks:
        waiting = [cell for cell in spec.cell if not decided(cells[cell.label], spec, known)]
        if not waiting or (done and time.monotonic() + pace * (pairs - done) > deadline):
            break
        on_look(pairs)
        started = time.monotonic()
        _train(waiting, range(done, pairs), cells, spec, file, candidate, baseline)
        pace, done = (time.monotonic() - started) / (pairs - done), pairs
    return list(cells.values())


def _train(
    waiting: list[Cell],
    seeds: range,
    cells: dict[str, CellTrainings],
    spec: Accuracy,
    file: GateFile,
    candidate: Tree,
    baseline: Tree | None,
) -> None:
    protocol = spec.protocol.model_dump(mode="json")
    asked = [
        cell.model_dump(mode="json") | {"protocol": protocol, "seeds": list(seeds)}
        for cell in waiting
    ]
    trees = [candidate, baseline] if baseline else [candidate]
    try:
        answers = look([Probe("training", tree, {"cells": asked}) for tree in trees], file)
    except ProbeFailed as failed:
        if failed.probe.tree is candidate:
            raise
        raise InputError(
            f"trainings of {failed.probe.tree.label} fail: {failed}",
            remedy="choose another baseline",
            key="--baseline",
        ) from None
    lost = [
        len(answers) == 2 and ours["unavailable"] is not None and theirs["unavailable"] is None
        for ours, theirs in zip(answers[0]["cells"], answers[-1]["cells"], strict=True)
    ]
    if any(lost):  # asked again, without trainings: a download that failed is no fault of its code
        again = [cell | {"seeds": []} for cell in asked]
        (answer,) = look([Probe("training", candidate, {"cells": again})], file)
        lost = [
            one and cell["unavailable"] is not None
            for one, cell in zip(lost, answer["cells"], strict=True)
        ]
    for place, cell in enumerate(waiting):
        ours, *theirs = [answer["cells"][place] for answer in answers]
        found = _with(cells[cell.label], ours, theirs[0] if theirs else None)
        cells[cell.label] = found.model_copy(update={"lost": lost[place]})


def _with(
    before: CellTrainings, ours: dict[str, Any], theirs: dict[str, Any] | None
) -> CellTrainings:
    new = [Training.model_validate(training) for training in ours["trainings"]]
    old = [Training.model_validate(training) for training in (theirs or {}).get("trainings", [])]
    return before.model_copy(
        update={
            "candidate": [*before.candidate, *new],
            "baseline": [*before.baseline, *old],
            "unavailable": ours["unavailable"] or (theirs or {}).get("unavailable"),
            "data_differs": theirs is not None and ours["checksum"] != theirs["checksum"],
        }
    )
