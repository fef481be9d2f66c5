"""What is not ours is the very file that its entry names, with its licence."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from bench.report.page.environment import ASSETS

OWN = {"page.css", "page.js", "vendored.toml"}
FOLDERS = [ASSETS, Path(__file__).parent / "axe"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_that_is_not_ours_is_named_with_version_and_checksum(folder: Path) -> None:
    entries = tomllib.loads((folder / "vendored.toml").read_text())
    assert entries
    for name, entry in entries.items():
        content = (folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert entry["version"].encode() in content[:200]
        assert "license" in (folder / entry["licence_file"]).read_text().lower()
    listed = set(entries) | {entry["licence_file"] for entry in entries.values()}
    assert {path.name for path in folder.iterdir()} - OWN == listed
