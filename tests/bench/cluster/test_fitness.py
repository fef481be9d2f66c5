"""A node that would give other bits says what is other: planted differences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.cluster.claims import claimed
from bench.cluster.fitness import Wanted, code_differences, data_differences, wanted_for
from bench.plan import make_plan
from bench.suite import load_suite


@pytest.fixture
def wanted(suite_file: Path) -> Wanted:
    suite = load_suite(str(suite_file))
    plan = make_plan(suite, suite.cells, download=False)
    return wanted_for(plan, plan.runs)


def test_this_machine_fits_itself(wanted: Wanted) -> None:
    assert code_differences(wanted) == []
    assert data_differences(wanted) == []
    assert sorted(wanted.digests) == ["medspectralnet", "small"]
    assert list(wanted.checksums) == ["phantom-joint"]


def test_every_difference_is_named(wanted: Wanted) -> None:
    planted = replace(
        wanted,
        python="2.7",
        packages={**wanted.packages, "torch": "1.0", "nothing": "3"},
        digests={**wanted.digests, "small": "0" * 16},
    )
    python, torch, nothing, source = code_differences(planted)
    assert python.endswith("not 2.7")
    assert torch.startswith("torch is 2.")
    assert torch.endswith("not 1.0")
    assert nothing == "nothing is not installed, not 3"
    assert source.startswith("the source of small or of the harness")
    other = replace(wanted, checksums={"phantom-joint": "x"})
    assert data_differences(other)[0].startswith("phantom-joint is other data: checksum")


def test_a_medmnist_file_is_told_missing_or_other(
    wanted: Wanted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.specs import DatasetSpec

    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    asked = replace(
        wanted,
        data={"breastmnist": DatasetSpec(name="breastmnist")},
        checksums={"breastmnist": "md5:0"},
    )
    assert data_differences(asked) == ["breastmnist is not here (MEDMNIST_ROOT, or ~/.medmnist)"]
    (tmp_path / "breastmnist.npz").write_bytes(b"")
    assert data_differences(asked) == [
        "breastmnist is other data: checksum md5:d41d8cd98f00b204e9800998ecf8427e, not md5:0"
    ]


def test_a_claim_is_one_drivers_and_that_of_any_other_engine(tmp_path: Path) -> None:
    from bench.execution.running import claim

    with claimed(tmp_path, "r") as mine:
        assert mine
        with claimed(tmp_path, "r") as again, claim(tmp_path, "r") as theirs:
            assert not again
            assert not theirs
    with claim(tmp_path, "r") as theirs, claimed(tmp_path, "r") as mine:
        assert theirs
        assert not mine
    assert not list((tmp_path / "running").iterdir())


def test_what_a_killed_driver_said_of_a_run_goes_with_the_claim(tmp_path: Path) -> None:
    from bench.execution.running import claim

    said = tmp_path / "running" / "r.json"
    said.parent.mkdir()
    said.write_text("{}")
    with claimed(tmp_path, "r"):
        assert not said.exists()
    said.write_text("{}")
    with claim(tmp_path, "r"), claimed(tmp_path, "r") as mine:
        assert not mine
        assert said.exists()  # of the process that is at it
