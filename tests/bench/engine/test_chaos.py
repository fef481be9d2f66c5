"""A real suite, killed at random moments: not one bit changes, and a planted fault is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.engine.chaos import chaos
from bench.engine.file import ENGINE, EngineFile
from bench.toml_file import read_toml

pytestmark = pytest.mark.alone

KILLS = 10


@pytest.mark.slow
def test_ten_kills_change_no_bit(tmp_path: Path) -> None:
    spec = read_toml(ENGINE, EngineFile).chaos
    spec = spec.model_copy(update={"kill_between_s": [1.0, 12.0]})  # a slow machine trains too
    found = chaos(spec, KILLS, tmp_path, lambda what, done: None)
    assert found.differences == []
    assert sum(found.kills.values()) == KILLS
    assert found.runs_resumed > 0  # else the kills hit nothing that had a checkpoint
    assert found.runs_compared == 6 * found.suites
