"""A repository of someone's own: one package that registers a tiny model with timm."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

INIT = """
from timm.models import register_model
from torch import nn

from theirnet.parts import Head, width
import theirnet.parts as parts


class TheirNet(nn.Module):
    def __init__(self, num_classes=8, in_chans=3):
        super().__init__()
        self.conv = nn.Conv2d(in_chans, width(), 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width())
        self.head = Head(parts.width(), num_classes)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).relu())


@register_model
def theirnet_a(pretrained=False, **kwargs):
    return TheirNet(**{k: v for k, v in kwargs.items() if k in ("num_classes", "in_chans")})
"""
PARTS = """
import time

from torch import nn

WAIT_S = 0.0


def width():
    return 4


class Head(nn.Module):
    def __init__(self, channels, num_classes):
        super().__init__()
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x):
        until = time.perf_counter() + WAIT_S
        while time.perf_counter() < until:
            pass
        return self.fc(x.mean(dim=(2, 3)))
"""


def commit_all(folder: Path, message: str) -> str:
    """Everything below the folder as a commit; its hash."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["add", "-A"], [*who, "commit", "-q", "-m", message]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The repository, with one commit."""
    folder = tmp_path / "theirs"
    (folder / "theirnet").mkdir(parents=True)
    (folder / "theirnet" / "__init__.py").write_text(INIT)
    (folder / "theirnet" / "parts.py").write_text(PARTS)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    commit_all(folder, "first")
    return folder


def changed(folder: Path, file: str, old: str, new: str) -> None:
    """One text of a file in the place of another, which must stand there."""
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
