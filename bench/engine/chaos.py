"""A real suite killed at random moments, until it is done, against the same suite undisturbed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from bench.engine.file import Chaos
from bench.engine.record import ChaosResult
from bench.engine.suite import finish, start, write_protocol
from bench.records.schema import Record, TrainingResult
from bench.records.store import Store
from bench.records.timeless import timeless

SUITE = """
about = "chaos"
protocol = "protocol.toml"
source_size = 28
image_size = 32
channels = 1
device = "cpu"
precision = "float32"
threads = 1

[[grid]]
models = ["medspectralnet", "resnet", "vit"]
datasets = ["phantom-joint"]
seeds = [0, 1]

[model.medspectralnet]
timm = "test_medspectralnet"

[model.resnet]
timm = "test_resnet"

[model.vit]
timm = "test_vit"
args = { img_size = 32, patch_size = 8 }

[dataset.phantom-joint]
options = { n_train = 512, n_val = 64, n_test = 64 }

[cost]
num_classes = 4
batch_size = 2
seconds_per_model = 0.2
"""
EPOCHS, BATCH_SIZE = 12, 32
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)  # half of them by force
EXITS = {signal.SIGKILL: {-9}, signal.SIGTERM: {143, -15}, signal.SIGINT: {130, -2}}
"""-15 and -2: the signal came before Python could answer it."""
ENDING_S = 60.0  # that a process may take to end after a signal


def chaos(
    spec: Chaos, kills: int, folder: Path, on_progress: Callable[[str, float], None]
) -> ChaosResult:
    """Kill the suite ``kills`` times; once it is done it begins anew, until there are enough.

    Raises:
        RuntimeError: the suite failed by itself.
    """
    suite, rng = folder / "suite.toml", random.Random(spec.seed)
    write_protocol(folder, epochs=EPOCHS, batch_size=BATCH_SIZE)
    suite.write_text(SUITE)
    on_progress("undisturbed", 0.0)
    finish(suite, folder / "undisturbed", checkpoint_every_s=spec.checkpoint_every_s)
    wanted = _outcomes(folder / "undisturbed")
    counted, compared, resumed = Counter[str](), 0, 0
    differences, passes = list[str](), 0
    while sum(counted.values()) < kills:
        results = folder / f"killed-{passes}"
        while sum(counted.values()) < kills and not _done(results, len(wanted)):
            on_progress("killing", sum(counted.values()) / kills)
            hit, wrong = _kill_once(suite, results, spec, rng)
            if hit is not None:
                counted[hit.name] += 1
            differences += wrong
        finish(suite, results, checkpoint_every_s=spec.checkpoint_every_s)
        found = _outcomes(results)
        differences += _compare(wanted, found) + _left_behind(results)
        compared += len(found)
        resumed += sum(bool(_training(r).resumed_at_updates) for r in Store(results).all())
        passes += 1
    return ChaosResult(
        kills=dict(counted),
        suites=passes,
        runs_compared=compared,
        runs_resumed=resumed,
        differences=differences,
    )


def _done(results: Path, runs: int) -> bool:
    return len(list((results / "records").glob("*.json"))) == runs


def _kill_once(
    suite: Path, results: Path, spec: Chaos, rng: random.Random
) -> tuple[signal.Signals | None, list[str]]:
    """Start the suite and end it at a random moment; None if it was done sooner."""
    process = start(suite, results, checkpoint_every_s=spec.checkpoint_every_s)
    moment, chosen = rng.uniform(*spec.kill_between_s), rng.choice(SIGNALS)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(moment)
        return None, [] if process.returncode == 0 else [f"ended with {process.returncode}"]
    os.killpg(process.pid, chosen)
    try:
        code = process.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return chosen, [f"{chosen.name}: still there after {ENDING_S:g} s"]
    if code == 0:  # it had just ended
        return None, []
    return chosen, [] if code in EXITS[chosen] else [f"{chosen.name}: ended with {code}"]


def _outcomes(results: Path) -> dict[str, tuple[JsonValue, bytes]]:
    """What the id or a score depends on, and the predictions, by run."""
    store = Store(results)
    return {
        record.id: (_comparable(record), store.predictions_path(record.id).read_bytes())
        for record in store.all()
    }


def _training(record: Record) -> TrainingResult:
    assert record.training is not None, record.reason
    return record.training


def _comparable(record: Record) -> JsonValue:
    """All but where and when it was made."""
    kept = timeless(record)
    assert isinstance(kept, dict)
    return {key: value for key, value in kept.items() if key != "provenance"}


def _compare(
    wanted: dict[str, tuple[JsonValue, bytes]], found: dict[str, tuple[JsonValue, bytes]]
) -> list[str]:
    differences = [f"{run}: no record" for run in wanted.keys() - found.keys()]
    for run, (record, predictions) in found.items():
        if run not in wanted:
            differences.append(f"{run}: not asked for")
            continue
        if predictions != wanted[run][1]:
            differences.append(f"{run}: other predictions")
        if record != wanted[run][0]:
            differences.append(f"{run}: another record")
    return differences


def _left_behind(results: Path) -> list[str]:
    """Temporary files, locks and checkpoints that nobody needs any more."""
    places = [results / place for place in ("records", "checkpoints", "running")]
    kept = {".json", ".npz"}
    return [
        f"left behind: {path.relative_to(results)}"
        for place in places
        for path in place.glob("*")
        if place.name != "records" or path.suffix not in kept or path.name.startswith(".")
    ]
