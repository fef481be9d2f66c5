"""Whether races were timed already: by today's code, on this machine."""

from __future__ import annotations

from pathlib import Path

from bench import provenance
from bench.provenance import packages
from bench.race.file import RaceFile
from bench.race.record import load_all


def is_kept(name: str, file: RaceFile, results: Path) -> bool:
    """Whether the record of races ``name`` below ``results`` would be made as it is again.

    Raises:
        InputError: a record of races is damaged.
    """
    found = next((record for record in load_all(results) if record.name == name), None)
    if found is None or found.stale or found.provenance.packages != packages():
        return False
    races = [result.spec for result in found.races]
    scaling = [result.spec for result in found.scaling]
    ceilings = [result.spec for result in found.memory]
    same = (races, scaling, ceilings) == (file.race, file.scaling, file.memory)
    made = found.provenance
    same = same and (made.device_name, made.threads) == (_device_name(file.device), file.threads)
    rounds = max(len(c.rounds_s) for result in found.races for c in result.contenders)
    return same and rounds == file.rounds


def _device_name(device: str) -> str:
    if device == "cpu":
        return provenance.processor()
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""
