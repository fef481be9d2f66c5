"""What is handed to workers, what is left behind, what a signal becomes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.cluster.connect import import_path, passing_signals
from bench.process import Terminated
from bench.toml_file import ROOT


def test_own_models_are_found_elsewhere_as_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["models", str(ROOT), "", "/else"]))
    assert import_path().split(os.pathsep) == [str(ROOT), str(tmp_path / "models"), "/else"]
    monkeypatch.delenv("PYTHONPATH")
    assert import_path() == str(ROOT)


def test_a_signal_that_comes_while_ray_waits_comes_out_as_itself() -> None:
    with pytest.raises(Terminated), passing_signals():
        raise SystemError("returned a result with an exception set") from Terminated()
    with pytest.raises(SystemError, match="another"), passing_signals():
        raise SystemError("another")
