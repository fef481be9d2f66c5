"""A node's own results folder: what lies there is carried to the driver, and outlives no node."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from bench.errors import CannotWrite
from bench.records.store import Store


class ScratchStore(Store):
    """A ``Store`` whose files are whole or not there, but not forced to disk.

    The driver's and the shared store's are; waiting for this disk too would hold up every run, and
    all that write to it, for files that nobody looks for after the node's end.
    """

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            beside.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise CannotWrite(
                f"{path}: cannot be written ({error.strerror}); make room, or let TMPDIR name "
                "another folder where the node is started"
            ) from error


def scratch_folder(node_id: str) -> Path:
    """Where it is: in the node's temporary folder (``TMPDIR``)."""
    return Path(tempfile.gettempdir()) / f"bench-scratch-{os.getuid()}" / node_id[:16]
