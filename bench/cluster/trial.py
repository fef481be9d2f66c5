"""A part of the trial of the Ray engine, from start to stored record."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.cluster.file import ClusterFile
from bench.cluster.kills import kill_nodes
from bench.cluster.overhead import overhead
from bench.cluster.record import ClusterRecord, OverheadResult, Part, load, save
from bench.cluster.throughput import throughput
from bench.provenance import cluster_digest, processor
from bench.records.base import Stored
from bench.run.recording import Clock, made_now


def try_cluster(
    part: Part,
    file: ClusterFile,
    results: Path,
    on_progress: Callable[[str, float], None],
    *,
    kills: int,
) -> ClusterRecord:
    """Measure one part on this machine and keep it under ``results/cluster/``.

    The part ``overhead`` is kept after each round, and goes on where it stopped.

    Raises:
        InputError: Ray is not installed, or an earlier record is damaged.
        RuntimeError: what was tried failed by itself.
    """
    clock = Clock()

    def keep(found: Stored) -> ClusterRecord:
        made = made_now(cluster_digest(), processor(), 1, clock)
        content = {"part": part, "spec": file, "provenance": made, part: found}
        record = ClusterRecord.model_validate(content)
        save(record, results)
        return record

    with tempfile.TemporaryDirectory(prefix="bench-cluster-") as name:
        folder = Path(name)
        if part == "overhead":
            before = _rounds_before(file, results, clock)
            return keep(overhead(file.overhead, before, folder, on_progress, keep))
        if part == "throughput":
            return keep(throughput(file.throughput, folder, on_progress))
        return keep(kill_nodes(file.kills, kills, folder, on_progress))


def _rounds_before(file: ClusterFile, results: Path, clock: Clock) -> OverheadResult | None:
    """Rounds that the same code measured of the same file on this machine, if some are missing."""
    record = load(results, "overhead")
    if record is None or record.overhead is None or record.stale or record.spec != file:
        return None
    if record.provenance.processor != processor():
        return None
    if record.overhead.suite_runs_s:
        return None
    clock.earlier_s = record.provenance.wall_s
    return record.overhead
