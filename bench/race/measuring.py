"""A file of races from start to stored record."""

from __future__ import annotations

from pathlib import Path

from bench import provenance
from bench.measure.timing import Progress
from bench.race.file import RaceFile
from bench.race.record import RaceRecord, digest_of, load_all, save
from bench.race.run import run_races
from bench.run.recording import Clock, made_now


def measure_file(name: str, file: RaceFile, results: Path, on_progress: Progress) -> RaceRecord:
    """Run the file's races on this machine and keep them under ``results/races/``.

    Raises:
        InputError: as :func:`.run.run_races` does; nothing is written then.
    """
    load_all(results)  # a damaged record is said before anything is timed
    clock = Clock()
    races, scaling, memory = run_races(file, on_progress)
    record = RaceRecord(
        name=name,
        about=file.about,
        provenance=made_now(
            digest_of(file.contenders), _device_name(file.device), file.threads, clock
        ),
        races=races,
        memory=memory,
        scaling=scaling,
    )
    save(record, results)
    return record


def _device_name(device: str) -> str:
    if device == "cpu":
        return provenance.processor()
    import torch

    return torch.cuda.get_device_name()
