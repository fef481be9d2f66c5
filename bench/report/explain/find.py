"""Whose id it is: of a record, a trial, a study's training, or the name of what is kept alone."""

from __future__ import annotations

from pathlib import Path

from bench.errors import InputError, nearest
from bench.race.record import FOLDER as RACES
from bench.race.record import RaceRecord
from bench.race.record import load_all as load_races
from bench.records.schema import Record
from bench.records.store import Store
from bench.search.record import FOLDER as TRIALS
from bench.search.record import Trial
from bench.search.record import load as load_trial
from bench.study.record import FOLDER as STUDIES
from bench.study.record import StudyRecord
from bench.study.record import load as load_study
from bench.toml_file import shown

SHORTEST = 4  # characters of an id that may stand for it

Found = Record | Trial | StudyRecord | RaceRecord

MADE_BY = {
    "audit": "python -m bench data NAME --audit",
    "engine": "python -m bench engine",
    "simulations.json": "python -m bench simulate",
    "trust.json": "python -m bench trust",
    "equivalences.json": "python -m bench recheck",
}
"""What is kept without an id: by folder or file below the results, what makes it."""


def find(store: Store, given: str) -> Found:
    """What has this id, or the only thing whose id begins so, or what the file of this path holds.

    Raises:
        InputError: there is none, or more than one, or it is damaged, or it is explained elsewhere.
    """
    if "/" in given or given.endswith((".json", ".npz")):
        return _load(store, _of_path(store, given))
    known = _known(store)
    whole = [path for path in known if path.stem == given]
    begun = whole or [p for p in known if p.stem.startswith(given)] if _long(given) else whole
    if len(begun) == 1:
        return _load(store, begun[0])
    problem = f"no record's id begins with {given!r}"
    remedy = nearest(given, {p.stem for p in known}) if known else "run a suite first"
    if begun:
        problem = f"{len(begun)} records' ids begin with {given!r}"
        remedy = f"write more of it: {', '.join(path.stem for path in begun[:3])}"
    elif not _long(given):
        problem = f"{given!r} is too short for an id"
        remedy = f"write {SHORTEST} characters of it or more"
    raise InputError(problem, remedy=remedy, key="ID")


def _long(given: str) -> bool:
    return len(given) >= SHORTEST


def _known(store: Store) -> list[Path]:
    folders = (store.folder, store.root / TRIALS, store.root / STUDIES, store.root / RACES)
    return [path for folder in folders for path in sorted(folder.glob("*.json"))]


def _of_path(store: Store, given: str) -> Path:
    """The record's own file for it or for the predictions beside it."""
    path = Path(given).expanduser().resolve().with_suffix(".json")
    if not path.is_file():
        raise InputError("no such file", remedy="give a record's id or file", file=given)
    if path in [known.resolve() for known in _known(store)]:
        return path
    parts = {path.name, path.parent.name}
    made = next((command for name, command in MADE_BY.items() if name in parts), None)
    if made is not None:
        raise InputError("no single run's record", remedy=f"`{made}` makes it", file=given)
    raise InputError(
        f"no record of {shown(store.root)}",
        remedy="set BENCH_RESULTS to the results folder that holds it",
        file=given,
    )


def _load(store: Store, path: Path) -> Found:
    loaded: Found | None
    match path.parent.name:
        case "trials":
            loaded = load_trial(store.root, path.stem)
        case "races":
            loaded = next((r for r in load_races(store.root) if r.name == path.stem), None)
        case "selection":
            loaded = load_study(store.root, path.stem)
        case _:
            loaded = store.load(path.stem)
    if loaded is None:
        raise InputError("damaged", remedy="make it anew", file=shown(path))
    return loaded
