"""A part of the trial from start to stored record."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

from bench.engine.file import EngineFile
from bench.engine.record import EngineRecord, save
from bench.provenance import engine_digest, processor
from bench.run.recording import Clock, made_now

Part = Literal["feeding", "overhead", "resume", "chaos"]
PARTS: tuple[Part, ...] = get_args(Part)


def try_engine(
    part: Part,
    file: EngineFile,
    results: Path,
    on_progress: Callable[[str, float], None],
    *,
    kills: int,
) -> EngineRecord:
    """Measure one part on this machine's CPU and keep it under ``results/engine/``.

    Raises:
        InputError: a data set that is not at hand.
        RuntimeError: what was tried failed by itself.
    """
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as name:
        found = _measured(part, file, Path(name), on_progress, kills)
    record = EngineRecord(
        part=part,
        spec=file,
        provenance=made_now(engine_digest(), processor(), file.threads, clock),
        **{part: found},
    )
    save(record, results)
    return record


def _measured(
    part: Part,
    file: EngineFile,
    folder: Path,
    on_progress: Callable[[str, float], None],
    kills: int,
) -> Any:
    if part == "overhead":
        from bench.engine.overhead import overhead

        return overhead(file.overhead, file.threads, folder, on_progress)
    if part == "resume":
        from bench.engine.resume import resume

        on_progress("a training, killed and continued", 0.0)
        return resume(file.resume, file.threads, folder)
    if part == "chaos":
        from bench.engine.chaos import chaos

        return chaos(file.chaos, kills, folder, on_progress)
    import torch

    from bench.engine.feeding import measure_feeding

    found = []
    for number, size in enumerate(file.feeding.at_least):
        on_progress(f"feeding at {size} px", number / len(file.feeding.at_least))
        found.append(measure_feeding(int(size), file.feeding.rounds, torch.device("cpu")))
    return found
