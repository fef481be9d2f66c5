"""``data --audit`` from the command line: the record, the page, the sheet, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.records.audit import load_all
from tests._helpers.audits import planted

Bench = Callable[..., Any]


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """The planted faults as a user's own file."""
    path = tmp_path / "own.npz"
    splits = planted()
    arrays: dict[str, Any] = {}
    for name, split in splits.items():
        arrays |= {f"{name}_images": split.images[..., 0], f"{name}_labels": split.labels[:, None]}
    np.savez(path, **arrays)
    return path


def test_own_data_is_audited_kept_and_drawn(bench: Bench, own_file: Path, results: Path) -> None:
    size = ("--source-size", "14")
    said = bench("data", "mine", "--audit", "--path", own_file, *size)
    assert said.code == 0, said.err
    assert "3 groups of identical and 2 of near-duplicate images; 3 with two labels" in said.out
    assert "4 test images have a copy in train or val" in said.out
    (record,) = load_all(results)
    assert record.stem == "mine-14"
    page, sheet = results / "reports" / "data.md", results / "reports" / "data" / "mine_14.png"
    assert "## mine, 14 px" in page.read_text()
    assert sheet.read_bytes().startswith(b"\x89PNG")
    kept = page.read_bytes()
    page.unlink()
    assert bench("data", "--draw").code == 0
    assert page.read_bytes() == kept


def test_every_file_at_hand_is_audited_without_a_name(
    bench: Bench, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, home = tmp_path / "root", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    monkeypatch.setenv("MEDMNIST_ROOT", str(root))
    monkeypatch.setenv("HOME", str(home))
    said = bench("data", "--audit")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "no MedMNIST file of 28 px is at hand; set MEDMNIST_ROOT" in said.err
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for split, count in {"train": 546, "val": 78, "test": 156}.items():
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays |= {f"{split}_images": images, f"{split}_labels": np.arange(count)[:, None] % 2}
    arrays["test_images"][5] = arrays["train_images"][7]
    np.savez(root / "breastmnist.npz", **arrays)
    assert bench("data", "--audit").code == 0
    (record,) = load_all(results)
    assert record.dataset == "breastmnist"
    assert record.official is False
    assert record.contaminated_test.exact == [5]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("mine", "--path", "x.npz"), "--path: it is for an audit; add --audit"),
        (("--audit", "--path", "x.npz"), "--path: own data needs a name"),
        (("bloodminst", "--audit"), "did you mean 'bloodmnist'?"),
        (("mine", "--audit", "--path", "nowhere.npz"), "'nowhere.npz' does not exist"),
    ],
)
def test_what_cannot_be_audited_is_one_line(
    bench: Bench, results: Path, arguments: tuple[str, ...], part: str
) -> None:
    said = bench("data", *arguments)
    assert said.code == 2
    assert said.err.count("\n") == 1, said.err
    assert part in said.err
    assert not results.exists()
