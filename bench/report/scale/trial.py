"""Draws made-up results folders by the commands that people use, each in a fresh process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from bench.provenance import commit, packages, processor
from bench.records.schema import Provenance
from bench.report.code import drawing_digest
from bench.report.processes import processors
from bench.report.scale.file import MANY, ScaleFile, Shape
from bench.report.scale.made_up import write_results, write_suite
from bench.report.scale.record import Document, Drawing, ScaleRecord, Taken
from bench.toml_file import ROOT

OnProgress = Callable[[str, float], None]


def measure(
    spec: ScaleFile, names: list[str], on_progress: OnProgress = lambda _, __: None
) -> ScaleRecord:
    """Draw the named shapes.

    Raises:
        RuntimeError: a command failed.
    """
    started, began = datetime.now(UTC), time.perf_counter()
    drawings: list[Drawing] = []
    for place, name in enumerate(names):
        on_progress(f"{name}: {spec.shape[name].records} records", place / len(names))
        drawings += _drawings(name, spec.shape[name])
    revision, dirty = commit()
    made = Provenance(
        commit=revision,
        dirty=dirty,
        source_digest=drawing_digest(),
        packages=packages(),
        python=platform.python_version(),
        platform=platform.platform(),
        processor=processor(),
        device_name=processor(),
        threads=processors(),
        started_at=started,
        wall_s=time.perf_counter() - began,
    )
    return ScaleRecord(spec=spec, provenance=made, drawings=drawings)


def _drawings(name: str, shape: Shape) -> list[Drawing]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        suite = write_suite(shape, root)
        write_results(shape, suite, root / "results")
        found = []
        for document in get_args(Document):
            cold, first = drawn(document, suite.path, root, cache="cache")
            warm, second = drawn(document, suite.path, root, cache="cache")
            same = first == second
            if shape.records <= MANY:  # of more it takes as long as the cold one again
                same = same and first == drawn(document, suite.path, root, cache="")[1]
            found.append(
                Drawing(
                    shape=name,
                    records=shape.records,
                    document=document,
                    cold=cold,
                    warm=warm,
                    same_bytes=same,
                )
            )
        return found


def drawn(
    document: Document, suite: Path, root: Path, *, cache: str
) -> tuple[Taken, dict[str, bytes]]:
    """What ``python -m bench DOCUMENT SUITE`` takes, and every file (or line) that it writes.

    Args:
        root: holds ``results``; the cache and what is written lie there too.
        cache: the folder's name below ``root``; empty: none.

    Raises:
        RuntimeError: it failed; the message is its last line.
    """
    output, told = root / document, root / "told.txt"
    arguments = [] if document == "status" else ["--output", str(output)]
    environment = os.environ | {
        "BENCH_RESULTS": str(root / "results"),
        "BENCH_CACHE": str(root / cache) if cache else "",
        "PYTHONPATH": str(ROOT),
    }
    began = time.perf_counter()
    command = [sys.executable, "-m", "bench", document, str(suite), *arguments]
    with told.open("wb") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{document}: {told.read_text().strip()[-500:] or 'failed'}")
    taken = Taken(
        wall_s=wall,
        processor_s=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    )
    if document == "status":
        return taken, {"lines": told.read_bytes()}
    return taken, {path.name: path.read_bytes() for path in sorted(output.iterdir())}
