"""Where a suite's page is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.report.page.document import document
from bench.report.page.gather import gather
from bench.staleness import ALL_STALE, Staleness
from bench.suite import Suite

PAGE = "index.html"


def write_page(
    suite: Suite,
    records: Sequence[Record],
    store: Store,
    folder: Path,
    checksums: Mapping[str, str] | None = None,
    staleness: Staleness = ALL_STALE,
) -> Path:
    """Write ``index.html`` below ``folder``, whole or not at all; returns its path.

    Raises:
        InputError: as ``gather``.
    """
    content = gather(suite, records, store, folder, checksums, staleness)
    path = folder / PAGE
    write_atomic(path, document(content).encode())
    return path
