"""Archives of calls into a results folder, by id: what is there is never overwritten."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import InputError
from bench.gpu import kernels
from bench.gpu.archive import read_archive
from bench.race import record as races
from bench.records.schema import Record
from bench.records.store import Store, write_atomic


@dataclass
class Merged:
    """What became of the files of some archives, by their paths below the results folder."""

    added: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # a sentence each, naming both files


def merge(archives: list[Path], results: Path, *, dry_run: bool = False) -> Merged:
    """Add what the archives hold; every archive is checked whole before anything is written.

    A record under an id that ``results`` has already is refused where it differs, except that a
    finished one takes the place of the failed attempt which it tells of itself.

    Raises:
        InputError: an archive is damaged, was made by a rehearsal, or a record in it or here is.
        OSError: a file cannot be written.
    """
    checked = {path: _checked(path) for path in archives}
    merged = Merged()
    for path, files in checked.items():
        for name in sorted(name for name in files if name.endswith(".json")):
            _merge_one(name, files, path, results, merged, dry_run=dry_run)
    return merged


def _checked(path: Path) -> dict[str, bytes]:
    """The archive's files, each found whole by what reads it later."""
    call, files = read_archive(path)
    if call.rehearsal:
        raise InputError(
            "a rehearsal on a CPU made it, nothing of it is a result",
            remedy="merge what a GPU made",
            file=str(path),
        )
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            place = Path(folder, name)
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content)
        try:
            store = Store(Path(folder))
            records = store.all()
            lost = [r.id for r in records if r.status == "done" and not store.has_predictions(r)]
            races.load_all(store.root)
            kernels.load_all(store.root)
        except InputError as error:
            raise InputError(error.problem, remedy="nothing was merged", file=str(path)) from None
    ids = {record.id for record in records}
    stray = sorted(Path(name).stem for name in files if name.endswith(".npz"))
    for record_id in [*lost, *(stem for stem in stray if stem not in ids)]:
        raise InputError(
            f"record and predictions {record_id} do not belong together",
            remedy="nothing was merged; fetch the archive again",
            file=str(path),
        )
    return files


def _merge_one(
    name: str,
    files: Mapping[str, bytes],
    archive: Path,
    results: Path,
    merged: Merged,
    *,
    dry_run: bool,
) -> None:
    place = results / name
    if place.exists():
        if place.read_bytes() == files[name] or _told_here(name, files[name], results):
            merged.known.append(name)
            return
        if not _tells_of_ours(name, files[name], results):
            merged.refused.append(
                f"{archive}: {name}: it differs from {place}, which stays; "
                "compare the two and move one away"
            )
            return
    if not dry_run:
        predictions = name.removesuffix(".json") + ".npz"
        if predictions in files:  # before the record, so that none ever lacks them
            write_atomic(results / predictions, files[predictions])
        write_atomic(place, files[name])
    merged.added.append(name)


def _told_here(name: str, content: bytes, results: Path) -> bool:
    """Whether the record here tells of the archive's as an earlier attempt."""
    if not name.startswith("records/"):
        return False
    here = Store(results).load(Path(name).stem)
    return here is not None and _tells_of(here, Record.model_validate_json(content))


def _tells_of_ours(name: str, content: bytes, results: Path) -> bool:
    """Whether the archive's record tells of the one here as an earlier attempt."""
    if not name.startswith("records/"):
        return False
    here = Store(results).load(Path(name).stem)
    return here is not None and _tells_of(Record.model_validate_json(content), here)


def _tells_of(later: Record, earlier: Record) -> bool:
    moments = {attempt.started_at for attempt in later.attempts}
    return earlier.status != "done" and earlier.provenance.started_at in moments
