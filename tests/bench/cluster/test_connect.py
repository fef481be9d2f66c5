"""What is handed to workers, what is left behind, what a signal becomes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.cluster.connect import _guard, import_path, passing_signals
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


def test_a_cluster_of_one_command_leaves_no_token_and_overrides_no_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.setenv(name, "x")  # put back when the test is over
        monkeypatch.delenv(name)
    _guard()
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    _guard()
    assert "RAY_AUTH_TOKEN" not in os.environ


def test_a_signal_that_comes_while_ray_waits_comes_out_as_itself() -> None:
    with pytest.raises(Terminated), passing_signals():
        raise SystemError("returned a result with an exception set") from Terminated()
    with pytest.raises(SystemError, match="another"), passing_signals():
        raise SystemError("another")
