"""Looks into networks: of a training that is there, with the very maps that they speak of."""

from __future__ import annotations

from bench.errors import InputError
from bench.insight.record import FOLDER, InsightRecord, load_all, load_maps
from bench.records.store import Store
from bench.toml_file import shown
from bench.verify.finding import NOTHING, Finding


def check_insights(store: Store) -> list[Finding]:
    """Each look belongs to its training's predictions, and its maps are whole."""
    try:
        known = load_all(store.root)
    except InputError as error:
        return [Finding(error.file or "", "a look", "a record", error.problem)]
    found = [finding for look in known.values() for finding in _check(look, store)]
    folder = store.root / FOLDER
    orphans = sorted({path.stem for path in folder.glob("*.npz")} - known.keys())
    return found + [
        Finding(shown(folder / f"{name}.npz"), "its record", NOTHING, "one") for name in orphans
    ]


def _check(look: InsightRecord, store: Store) -> list[Finding]:
    path = shown(store.root / FOLDER / f"{look.run}.json")
    try:
        load_maps(look, store.root)
    except InputError as error:
        return [Finding(error.file or path, "its maps", "maps", error.problem)]
    try:
        record = store.load(look.run)
    except InputError:
        return []  # damaged, and told as such by the check of records
    if record is None or record.training is None:
        return [Finding(path, "run", look.run, "no finished training")]
    now = record.training.predictions_sha256
    if now != look.predictions_sha256:
        return [Finding(path, "predictions_sha256", look.predictions_sha256, now)]
    return []
