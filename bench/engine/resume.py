"""One training killed between two checkpoints: what is lost, and how soon it goes on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from bench.engine.file import Resume
from bench.engine.record import ResumeResult
from bench.engine.suite import start, wait_for, write_protocol
from bench.execution.running import running
from bench.records.store import Store

SUITE = """
about = "resume"
protocol = "protocol.toml"
source_size = 28
image_size = {image_size}
device = "cpu"
precision = "float32"
threads = {threads}

[[grid]]
models = ["{model}"]
datasets = ["{dataset}"]
seeds = [0]

[cost]
num_classes = 2
batch_size = 2
seconds_per_model = 0.2
"""
BATCH_SIZE = 64
LONGEST_S = 600.0


def resume(spec: Resume, threads: int, folder: Path) -> ResumeResult:
    """Kill just before the second checkpoint, when most can be lost, and start again.

    Raises:
        RuntimeError: the suite ended by itself, or nothing came of it.
    """
    write_protocol(folder, epochs=spec.epochs, batch_size=BATCH_SIZE)
    suite, results = folder / "suite.toml", folder / "results"
    text = SUITE.format(
        model=spec.model, dataset=spec.dataset, image_size=spec.image_size, threads=threads
    )
    suite.write_text(text)
    process = start(suite, results, checkpoint_every_s=spec.checkpoint_every_s)
    wait_for(lambda: any((results / "checkpoints").glob("*.pt")), process, LONGEST_S)
    time.sleep(0.9 * spec.checkpoint_every_s)
    (reached,) = running(results).values()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for left in (results / "running").glob("*.json"):
        left.unlink()  # so that the next one is the new process's
    started = time.monotonic()
    process = start(suite, results, checkpoint_every_s=spec.checkpoint_every_s)
    wait_for(lambda: any(r.fraction > 0 for r in running(results).values()), process, LONGEST_S)
    restart_s = time.monotonic() - started
    if process.wait() != 0:
        raise RuntimeError(f"the suite ended with {process.returncode}")
    (record,) = Store(results).all()
    result = record.training
    assert result is not None, record.reason
    updates = len(result.epochs) * -(-result.data.images["train"] // BATCH_SIZE)
    seconds_per_update = sum(epoch.seconds for epoch in result.epochs) / updates
    lost = reached.fraction * updates - result.resumed_at_updates[0]
    return ResumeResult(
        restart_s=restart_s,
        lost_updates=round(lost),
        lost_s=max(0.0, lost) * seconds_per_update,
        wall_s=record.provenance.wall_s,
    )
