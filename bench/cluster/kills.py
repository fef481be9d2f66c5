"""A real suite on a cluster whose nodes are killed at random, against the same undisturbed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from bench.cluster.file import Kills
from bench.cluster.local_cluster import LocalCluster, local_cluster
from bench.cluster.record import KillsResult
from bench.engine.chaos import BATCH_SIZE, SUITE
from bench.engine.suite import finish, write_protocol
from bench.records.store import Store
from bench.records.timeless import first_difference, timeless
from bench.toml_file import ROOT

ENDING_S = 600.0  # that a suite may take once nobody disturbs it


def kill_nodes(
    spec: Kills, kills: int, folder: Path, on_progress: Callable[[str, float], None]
) -> KillsResult:
    """Kill nodes ``kills`` times while the suite runs; once it is done it begins anew.

    Raises:
        RuntimeError: the suite failed by itself.
    """
    suite, trial = folder / "suite.toml", _Trial(spec, kills, folder, on_progress)
    write_protocol(folder, epochs=spec.epochs, batch_size=BATCH_SIZE)
    suite.write_text(SUITE)
    on_progress("undisturbed", 0.0)
    finish(suite, folder / "undisturbed", checkpoint_every_s=spec.checkpoint_every_s)
    with local_cluster(spec.nodes) as cluster:
        while trial.killed < kills:
            trial.one_suite(suite, cluster)
    return trial.found()


class _Trial:
    """The suite, as often as it takes."""

    def __init__(
        self, spec: Kills, kills: int, folder: Path, on_progress: Callable[[str, float], None]
    ) -> None:
        self._spec, self._kills, self._folder, self._tell = spec, kills, folder, on_progress
        self._rng = random.Random(spec.seed)
        self.killed = self._drivers = self._suites = 0
        self._compared = self._resumed = self._again = 0
        self._differences: list[str] = []

    def one_suite(self, suite: Path, cluster: LocalCluster) -> None:
        """Run it to its end, killing meanwhile, then compare."""
        results, shared = (
            self._folder / f"{place}-{self._suites}" for place in ("killed", "shared")
        )
        process = self._start(suite, results, shared, cluster)
        try:
            while self.killed < self._kills and not _ended(process, self._moment()):
                self._tell("killing nodes", self.killed / self._kills)
                cluster.kill_node(self._rng)
                self.killed += 1
                if self.killed % self._spec.driver_every == 0:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    self._drivers += 1
                    process = self._start(suite, results, shared, cluster)
                cluster.add_node()
            if not _ended(process, ENDING_S):
                raise RuntimeError(f"the suite did not end within {ENDING_S:g} s: {said(results)}")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode != 0:
            raise RuntimeError(f"the suite ended with {process.returncode}: {said(results)}")
        self._compare(results, shared)
        self._suites += 1

    def _moment(self) -> float:
        return self._rng.uniform(*self._spec.kill_between_s)

    def _start(
        self, suite: Path, results: Path, shared: Path, cluster: LocalCluster
    ) -> subprocess.Popen[bytes]:
        results.mkdir(parents=True, exist_ok=True)
        with (results / "output.txt").open("ab") as output:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "bench", "run", str(suite)),
                    *("--engine", "ray", "--address", cluster.address),
                    *("--shared", f"file://{shared}"),
                    *("--checkpoint-every", str(self._spec.checkpoint_every_s)),
                ],
                cwd=ROOT,
                env=os.environ | {"BENCH_RESULTS": str(results), "PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _compare(self, results: Path, shared: Path) -> None:
        wanted = _outcomes(self._folder / "undisturbed")
        found = _outcomes(results)
        self._differences += [
            *compare(wanted, found),
            *(f"shared: {line}" for line in compare(wanted, _outcomes(shared))),
            *_left_behind(results, shared),
            *_done_twice(results),
        ]
        self._compared += len(found)
        self._resumed += sum(
            bool(record.training and record.training.resumed_at_updates)
            for record in Store(results).all()
        )
        lost = re.findall(r"(\d+) runs lost", (results / "output.txt").read_text(errors="replace"))
        self._again += sum(map(int, lost))

    def found(self) -> KillsResult:
        """What came of it."""
        return KillsResult(
            node_kills=self.killed,
            driver_kills=self._drivers,
            suites=self._suites,
            runs_compared=self._compared,
            runs_resumed=self._resumed,
            runs_done_again=self._again,
            differences=self._differences,
        )


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether it ends within so many seconds."""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    return process.poll() is not None


def said(results: Path) -> str:
    """The last that a suite said."""
    lines = (results / "output.txt").read_text(errors="replace").strip().splitlines()
    return " / ".join(lines[-5:])


def _outcomes(results: Path) -> dict[str, tuple[JsonValue, bytes]]:
    """What each record holds beside where and when it was made, and its predictions, by run."""
    store = Store(results)
    found: dict[str, tuple[JsonValue, bytes]] = {}
    for record in store.all():
        kept = timeless(record)
        assert isinstance(kept, dict)
        del kept["provenance"]
        path = store.predictions_path(record.id)
        found[record.id] = (kept, path.read_bytes() if path.exists() else b"")
    return found


def compare(
    wanted: dict[str, tuple[JsonValue, bytes]], found: dict[str, tuple[JsonValue, bytes]]
) -> list[str]:
    """Where two results folders differ: a line for each run."""
    lines = [f"{run}: no record" for run in sorted(wanted.keys() - found.keys())]
    for run, (record, predictions) in sorted(found.items()):
        if run not in wanted:
            lines.append(f"{run}: not asked for")
            continue
        if predictions != wanted[run][1]:
            lines.append(f"{run}: other predictions")
        if (difference := first_difference(wanted[run][0], record)) is not None:
            lines.append(f"{run}: {difference}")
    return lines


def _left_behind(results: Path, shared: Path) -> list[str]:
    """Locks, temporary files and checkpoints that nobody needs any more."""
    places = [(results, "running"), (shared, "checkpoints"), (results, "checkpoints")]
    left = [path for root, place in places for path in (root / place).glob("*")]
    left += (shared / "records").glob(".*")
    return [f"left behind: {path.relative_to(path.parents[2])}" for path in left]


def _done_twice(results: Path) -> list[str]:
    """Runs whose log says more than once that they were done."""
    logs = {path.stem: path.read_text() for path in sorted((results / "logs").glob("*.log"))}
    counts = {run: len(re.findall(r" done: test ", text)) for run, text in logs.items()}
    return [f"{run}: done {count} times" for run, count in counts.items() if count > 1]
