"""A folder or bucket that every node reaches: checkpoints survive their node there, records too.

By fsspec: ``file://`` (a shared file system), ``s3://``, ``gs://`` and whatever else it knows. It
mirrors a results folder: ``records/``, ``checkpoints/`` and ``running/`` by the same names.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.errors import BenchError, CannotReach, CannotWrite, InputError, one_line
from bench.execution.running import forget, running
from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.specs import describe_invalid

RECORDS, CHECKPOINTS, RUNNING = "records", "checkpoints", "running"


@dataclass(frozen=True)
class SharedStore:
    """What lies at a URL; it can be sent to any node.

    Raises:
        CannotWrite: from each method that writes, if the place cannot be written.
        CannotReach: from each other one, if the place does not answer.
    """

    url: str

    @cached_property
    def _place(self) -> tuple[Any, str]:
        import fsspec

        # Listings are never remembered: other nodes write there.
        filesystem, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        return filesystem, root.rstrip("/")

    @property
    def shown(self) -> str:
        """The URL as it may be told and logged, without a name and a password that stand in it."""
        return re.sub(r"//[^/@]*@", "//…@", self.url)

    def check(self, *, writable: bool = True) -> None:
        """Refuse a place that cannot be used, before anything is trained.

        Args:
            writable: otherwise it is only read, and nothing is made there.

        Raises:
            InputError: its protocol is unknown or not installed, or it cannot be read or written.
        """
        if "://" not in self.url:
            raise InputError(
                f"{self.url!r} is no URL",
                remedy=f"write file://{Path(self.url).expanduser().resolve()} for a folder, or "
                "s3://BUCKET/FOLDER, gs://BUCKET/FOLDER",
                key="--shared",
            )
        try:
            if writable:
                with self.probe():
                    pass
            elif not self._place[0].exists(self._place[1]):
                raise FileNotFoundError("there is nothing")
        except Exception as error:  # each file system has errors of its own
            raise InputError(
                f"{self.shown!r} cannot be used ({one_line(error)})",
                remedy="check the address and your rights; s3:// needs the package s3fs, "
                "gs:// gcsfs",
                key="--shared",
            ) from None

    @contextlib.contextmanager
    def probe(self) -> Iterator[str]:
        """A file there while it lasts, by whose name others tell that they see the same place."""
        name = f".probe-{uuid.uuid4().hex}"
        self.write(RUNNING, name, b"")
        try:
            yield name
        finally:
            with contextlib.suppress(BenchError):
                self.remove(RUNNING, name)

    def differences(self, probe: str) -> list[str]:
        """What keeps this machine from using the place where another one has left its probe."""
        try:
            if self.read(RUNNING, probe) is None:
                return [f"{self.shown} is another place here, or not mounted"]
            with self.probe():
                return []
        except BenchError as error:
            return [str(error)]

    @property
    def folder(self) -> Path | None:
        """The folder it is, where it is one of this machine's file system."""
        filesystem, root = self._place
        return Path(root) if "file" in filesystem.protocol else None

    def write(self, kind: str, name: str, content: bytes) -> None:
        """Write a file whole or not at all."""
        filesystem, root = self._place
        try:
            if self.folder is not None:  # fsspec would write a file of a folder in place
                write_atomic(self.folder / kind / name, content)
            else:
                filesystem.pipe_file(f"{root}/{kind}/{name}", content)
        except Exception as error:
            raise CannotWrite(
                f"{self.shown}/{kind}/{name}: cannot be written ({one_line(error)}); finished runs "
                "are kept: make room or correct --shared, and run it again"
            ) from error

    def read(self, kind: str, name: str) -> bytes | None:
        """A file's content; None if there is none."""
        filesystem, root = self._place
        try:
            with self._answering():
                content: bytes = filesystem.cat_file(f"{root}/{kind}/{name}")
        except FileNotFoundError:
            return None
        return content

    def remove(self, kind: str, name: str) -> None:
        """Remove a file, if it is there."""
        filesystem, root = self._place
        with contextlib.suppress(FileNotFoundError), self._answering():
            filesystem.rm_file(f"{root}/{kind}/{name}")

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise CannotReach(f"{self.shown}: does not answer ({one_line(error)})") from error

    def discard_checkpoints(self, done: set[str]) -> None:
        """Remove those of finished runs, whose nodes were lost between the record and this."""
        for name in self.names(CHECKPOINTS):
            if name.removesuffix(".pt") in done:
                self.remove(CHECKPOINTS, name)

    def sweep(self, run_id: str) -> None:
        """Remove what a node that was killed while writing left of a run; buckets keep no such."""
        if self.folder is None:
            return
        for kind in (RECORDS, CHECKPOINTS):
            for left in (self.folder / kind).glob(f".{run_id}.*"):
                with contextlib.suppress(OSError):
                    left.unlink()

    def names(self, kind: str) -> set[str]:
        """The files there."""
        filesystem, root = self._place
        try:
            with self._answering():
                found = filesystem.ls(f"{root}/{kind}", detail=False)
        except FileNotFoundError:
            return set()
        return {name for path in found if not (name := path.rsplit("/", 1)[-1]).startswith(".")}

    def pull(self, store: Store, wanted: set[str] | None = None) -> int:
        """Bring results that ``store`` lacks into it, predictions first; how many.

        Args:
            wanted: ids of runs that are to be done: a later result there replaces what is here.
                None for every run of which nothing is here.

        Raises:
            InputError: a record there is damaged.
        """
        if self.is_same_as(store):
            return 0
        there, count = self.names(RECORDS), 0
        ids = {name.removesuffix(".json") for name in there if name.endswith(".json")}
        for run_id in sorted(ids if wanted is None else ids & wanted):
            earlier = store.load(run_id)
            if earlier is not None and wanted is None:
                continue
            content = self.read(RECORDS, f"{run_id}.json")
            record = self._parsed(run_id, content) if content is not None else None
            if record is None or content is None or record.status != "done":
                continue
            if _replaces(record, earlier):
                deliver(store, run_id, content, self.read(RECORDS, f"{run_id}.npz"))
                count += 1
        return count

    def pull_running(self, store: Store) -> None:
        """Say here which runs are under way there, and forget what was said of them before.

        What this machine says of a run that has a lock or a record here is fresher here: a copy
        would bring back what has ended.
        """
        if self.is_same_as(store):
            return
        names = {name for name in self.names(RUNNING) if name.endswith(".json")}  # no locks
        there = {name: self.read(RUNNING, name) for name in names}
        for run_id, state in running(store.root).items():
            if state.host != socket.gethostname() and f"{run_id}.json" not in there:
                forget(store.root, run_id)
        for name, content in there.items():
            path = store.root / RUNNING / name
            known = path.with_suffix(".lock").exists() or store.path(path.stem).exists()
            if content is not None and not (known and _said_here(content)):
                write_atomic(path, content)

    def is_same_as(self, store: Store) -> bool:
        """Whether it is that results folder itself."""
        return self.folder is not None and self.folder.resolve() == store.root.resolve()

    def _parsed(self, run_id: str, content: bytes) -> Record:
        try:
            return Record.model_validate_json(content)
        except ValidationError as error:
            raise InputError(
                f"damaged record: {describe_invalid(error)}",
                remedy="delete it and run the suite again",
                file=f"{self.shown}/{RECORDS}/{run_id}.json",
            ) from None


def _said_here(content: bytes) -> bool:
    """Whether the file of a run under way was written on this machine."""
    with contextlib.suppress(ValueError, AttributeError):
        return bool(json.loads(content).get("host") == socket.gethostname())
    return False


def _replaces(record: Record, earlier: Record | None) -> bool:
    """Whether a result takes the place of what is here: a failure's always, an older result's.

    Clocks of machines differ, so that it is later is no condition where nothing is lost by it.
    """
    if earlier is None or earlier.status != "done":
        return True
    return earlier.provenance.started_at < record.provenance.started_at


def deliver(store: Store, run_id: str, record: bytes, predictions: bytes | None) -> None:
    """Keep a record made elsewhere, its predictions first; what is there already stays untouched.

    Raises:
        CannotWrite: the disk is full, or the folder read-only.
    """
    for path, content in (
        (store.predictions_path(run_id), predictions),
        (store.path(run_id), record),
    ):
        if content is None or (path.exists() and path.read_bytes() == content):
            continue
        try:
            write_atomic(path, content)
        except OSError as error:
            raise CannotWrite(
                f"{path}: cannot be written ({error.strerror}); what was finished before is kept: "
                "make room or set BENCH_RESULTS, and run it again"
            ) from error
