"""The numbers of docs/medspectralnet.md are the ones the code gives today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import timm

import medspectralnet as package
from medspectralnet.config import Config
from medspectralnet.macs import count_macs

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "medspectralnet.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", ["macs", "approximation"])
def test_each_table_is_what_its_command_prints(module: str) -> None:
    command = [sys.executable, "-m", f"{package.__name__}.{module}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() in PAGE


def test_the_size_in_the_first_sentence_is_counted() -> None:
    model = timm.create_model("medspectralnet", num_classes=8, in_chans=3)
    count = sum(parameter.numel() for parameter in model.parameters())
    macs = sum(count_macs(Config(), height=224, width=224, in_chans=3, num_classes=8).values())
    assert f"{count / 1e6:.2f} M parameters, {macs / 1e9:.2f} GMACs" in PAGE
