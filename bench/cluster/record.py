"""What is kept of a trial of the Ray engine: one file for each of its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from bench.cluster.file import ClusterFile
from bench.provenance import cluster_digest
from bench.records.base import Stored
from bench.records.schema import Provenance
from bench.records.single import load_single, save_single

FOLDER = "cluster"  # below the results folder

Part = Literal["overhead", "throughput", "kills"]
PARTS: tuple[Part, ...] = get_args(Part)


class OverheadResult(Stored):
    """Seconds of real runs: the same by a bare loop and by Ray in turn, then a suite by Ray alone.

    Attributes:
        bare_runs_s, ray_runs_s: what each run says it took, by round; done in one process.
        suite_s: of one suite by Ray with one slot, the check of its nodes included.
        suite_runs_s: what each of its runs says it took.
        joining_s: that it took to join the cluster, check its node and start a worker that loads
            torch, and the board; once for each process that measured.
        rays_own_s: of processor, that Ray's own processes had while the trial went on, for
            watched_s in all.
    """

    bare_runs_s: list[float]
    ray_runs_s: list[float]
    suite_s: float
    suite_runs_s: list[float]
    joining_s: float
    rays_own_s: float
    watched_s: float
    noisy: bool


class Sample(Stored):
    """Where a suite stood at one moment."""

    recorded: int
    seconds: float
    driver_bytes: int  # resident


class ThroughputResult(Stored):
    """Many short runs on one machine; samples are a hundredth of the runs apart."""

    wall_s: float  # from joining the cluster to the last record
    samples: list[Sample]
    utilisation: float
    missing: int  # runs without a whole record and its predictions
    noisy: bool


class KillsResult(Stored):
    """A suite whose nodes were killed beside the same suite undisturbed."""

    node_kills: int
    driver_kills: int
    suites: int  # times the whole suite was done
    runs_compared: int
    runs_resumed: int  # of those, how many went on from a checkpoint of a node that was lost
    runs_done_again: int  # tasks that lost their worker or node, as drivers not killed tell
    differences: list[str]


class ClusterRecord(Stored):
    """One part of the trial on one machine."""

    schema_version: Literal[1] = 1
    part: Part
    spec: ClusterFile
    provenance: Provenance
    overhead: OverheadResult | None = None
    throughput: ThroughputResult | None = None
    kills: KillsResult | None = None

    @property
    def stale(self) -> bool:
        """Whether the code that decides it has changed since."""
        return self.provenance.source_digest != cluster_digest()


def path_of(results: Path, part: Part) -> Path:
    """Where a part is kept."""
    return results / FOLDER / f"{part}.json"


def save(record: ClusterRecord, results: Path) -> None:
    """Write the part whole or not at all."""
    save_single(record, path_of(results, record.part))


def load(results: Path, part: Part) -> ClusterRecord | None:
    """The stored part, or None if there is none.

    Raises:
        InputError: it is damaged.
    """
    return load_single(
        path_of(results, part),
        ClusterRecord,
        lambda record: {record.part},
        called="record",
        again=f"make it anew: python -m bench cluster {part}",
    )
