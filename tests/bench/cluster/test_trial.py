"""The trial of the engine: nodes killed at random, many runs, and the page; faults are seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import JsonValue

from bench.cluster.file import CLUSTER, ClusterFile
from bench.cluster.kills import compare, kill_nodes
from bench.cluster.overhead import overhead
from bench.cluster.record import (
    ClusterRecord,
    KillsResult,
    OverheadResult,
    Sample,
    ThroughputResult,
    load,
    save,
)
from bench.cluster.throughput import throughput, was_loaded
from bench.errors import InputError
from bench.measure.load import Load
from bench.provenance import cluster_digest
from bench.records.schema import Provenance
from bench.report.cluster import MIB, cluster_page, passed, rows, write_cluster_page
from bench.toml_file import read_toml
from tests._helpers.records import provenance
from tests._helpers.specs import cost_spec

heavy = pytest.mark.skipif(
    "BENCH_CLUSTER_TESTS" not in os.environ,
    reason="starts and kills many Ray nodes: `make cluster` runs it",
)
FILE = read_toml(CLUSTER, ClusterFile)


def made() -> Provenance:
    return provenance(cost_spec()).model_copy(update={"source_digest": cluster_digest()})


def many(resident: list[int], wall_s: float = 60.0, missing: int = 0) -> ClusterRecord:
    samples = [
        Sample(recorded=n, seconds=float(n), driver_bytes=at) for n, at in enumerate(resident)
    ]
    found = ThroughputResult(
        wall_s=wall_s, samples=samples, utilisation=0.9, missing=missing, noisy=False
    )
    return ClusterRecord(part="throughput", spec=FILE, provenance=made(), throughput=found)


def killed(**changes: object) -> ClusterRecord:
    found = KillsResult.model_validate(
        {
            "node_kills": 20,
            "driver_kills": 2,
            "suites": 2,
            "runs_compared": 12,
            "runs_resumed": 5,
            "runs_done_again": 9,
            "differences": [],
        }
        | changes
    )
    return ClusterRecord(part="kills", spec=FILE, provenance=made(), kills=found)


def beside(
    *, rounds: int = 100, slower: float = 1.0, around_s: float = 1.0, runs: int = 200
) -> ClusterRecord:
    found = OverheadResult(
        bare_runs_s=[3.0 + n / 100 for n in range(rounds)],
        ray_runs_s=[slower * (3.0 + n / 100) for n in range(rounds)],
        suite_s=3.0 * runs + around_s,
        suite_runs_s=[3.0] * runs,
        joining_s=0.8,
        rays_own_s=9.0,
        watched_s=100.0,
        noisy=False,
    )
    return ClusterRecord(part="overhead", spec=FILE, provenance=made(), overhead=found)


def test_what_is_asked_for_is_judged() -> None:
    flat, growing = [100 * MIB] * 100, [n * MIB for n in range(100)]
    assert passed(many(flat))
    assert not passed(many(growing))
    assert not passed(many(flat, wall_s=121.0))
    assert not passed(many(flat, missing=1))
    assert passed(killed())
    assert not passed(killed(differences=["a: other predictions"]))
    assert not passed(killed(runs_resumed=0))  # then the kills hit nothing
    assert passed(beside())
    assert not passed(beside(slower=1.04))
    assert not passed(beside(around_s=18.0))
    assert not passed(beside(slower=1.02, around_s=6.0))  # 2 % inside, 1.1 % around
    assert not passed(beside(rounds=99))
    assert not passed(beside(runs=0))


def test_what_ray_adds_is_told_by_part() -> None:
    measured = [row["measured"] for row in rows(beside(slower=1.01))]
    assert measured[0] == f"{1.8 / 600:+.4f}"
    assert measured[1].startswith("1.010 [1.010, 1.010]")
    assert measured[2:] == ["1.013", "0.090"]


def test_the_page_says_what_was_not_measured_and_lists_differences(tmp_path: Path) -> None:
    save(killed(differences=["a: other predictions"]), tmp_path)
    page = write_cluster_page(tmp_path).read_text()
    assert page.count("Not measured here") == 2
    assert "- a: other predictions" in page
    assert "missed" in page
    assert "1.020 [1.020, 1.020]" in cluster_page({"overhead": beside(rounds=10, slower=1.02)})


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "kills.json").write_text("{}")
    with pytest.raises(InputError, match=r"kills.json: damaged record: .*bench cluster kills"):
        load(tmp_path, "kills")


def test_planted_differences_between_two_suites_are_seen() -> None:
    def outcome(loss: float, logits: bytes = b"x") -> tuple[JsonValue, bytes]:
        return {"training": {"loss": loss}}, logits

    one = {"a": outcome(0.5), "b": outcome(0.5)}
    assert compare(one, dict(one)) == []
    assert compare(one, {"a": outcome(0.5), "c": outcome(0.5)}) == [
        "b: no record",
        "c: not asked for",
    ]
    assert compare(one, {"a": outcome(0.6), "b": outcome(0.5, b"y")}) == [
        "a: training.loss: 0.6, not 0.5",
        "b: other predictions",
    ]


@heavy
def test_killed_nodes_and_a_killed_driver_change_no_bit(tmp_path: Path) -> None:
    spec = FILE.kills.model_copy(update={"driver_every": 2})
    found = kill_nodes(spec, 4, tmp_path, lambda what, done: None)
    assert found.differences == []
    assert found.node_kills == 4
    assert found.driver_kills == 2
    assert found.runs_compared == 6 * found.suites


@heavy
def test_many_runs_are_all_recorded_by_a_driver_that_does_not_grow(tmp_path: Path) -> None:
    spec = FILE.throughput.model_copy(update={"runs": 500})
    found = throughput(spec, tmp_path, lambda what, done: None)
    assert found.missing == 0
    assert found.samples[-1].recorded == 500


def test_rays_own_processes_are_no_load_but_those_before_and_after_are() -> None:
    assert not was_loaded(Load(before=0.0, after=0.1, others=0.9))
    assert was_loaded(Load(before=0.0, after=0.5, others=0.0))


@heavy
def test_rounds_beside_a_bare_loop_go_on_where_they_stopped(tmp_path: Path) -> None:
    spec = FILE.overhead.model_copy(update={"rounds": 2, "runs": 1, "epochs": 1})
    before = beside(rounds=1, runs=0).overhead
    told: list[OverheadResult] = []
    found = overhead(spec, before, tmp_path, lambda what, done: None, told.append)
    assert [len(one.ray_runs_s) for one in told] == [2]
    assert found.bare_runs_s[0] == found.ray_runs_s[0] == 3.0
    assert len(found.bare_runs_s) == len(found.ray_runs_s) == 2
    (run_s,) = found.suite_runs_s
    assert 0 < run_s < found.suite_s
    assert found.joining_s > 0.8
    assert found.rays_own_s > 9.0
