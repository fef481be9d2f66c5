"""The tree's own rules: floors, data-only folders, what the wheel holds, short files."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("medspectralnet", "ablations", "baselines", "bench")


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(linter), "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )


def test_every_module_imports_only_from_floors_below() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("bench/records/store.py", "import bench.cli", "floors"),
        ("bench/suite.py", "import bench.records.store", "floors"),
        ("medspectralnet/gate.py", "import bench.errors", "never import the harness"),
        ("medspectralnet/gate.py", "import baselines", "stands alone"),
        ("bench/report/text.py", "import torch", "without torch"),
    ],
)
def test_an_import_of_a_higher_floor_is_caught(
    tmp_path: Path, file: str, line: str, contract: str
) -> None:
    for name in PACKAGES:
        (tmp_path / name).symlink_to(ROOT / name)
    package = file.partition("/")[0]
    (tmp_path / package).unlink()
    subprocess.run(["cp", "-r", str(ROOT / package), str(tmp_path / package)], check=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    planted = tmp_path / file
    planted.write_text(planted.read_text() + f"\n{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    broken = [said for said in done.stdout.splitlines() if said.endswith("BROKEN")]
    assert any(contract in said for said in broken), done.stdout


def test_results_reports_and_suites_hold_no_code() -> None:
    code = [p for name in ("results", "reports", "suites") for p in (ROOT / name).rglob("*.py")]
    assert not code


def test_source_files_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 310
    }
    assert not long


def test_the_wheel_holds_the_network_alone_and_needs_torch_and_timm_only(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE", *PACKAGES):
        (tmp_path / name).symlink_to(ROOT / name)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", "wheels", "."]
    done = subprocess.run(pip, cwd=tmp_path, capture_output=True, text=True, check=False)
    if "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("no package index to build the wheel with")
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        (metadata,) = (content.read(name).decode() for name in names if name.endswith("METADATA"))
    tops = {name.partition("/")[0].partition("-")[0] for name in names}
    assert tops == {"medspectralnet"}
    needs = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    always = [need.split()[1].split(">")[0] for need in needs if "extra ==" not in need]
    assert always == ["torch", "timm"]


def test_ci_runs_the_two_make_targets_and_nothing_of_its_own() -> None:
    for name in (".ci/run", ".github/workflows/ci.yml"):
        text = (ROOT / name).read_text()
        assert "make lint" in text
        assert "make test" in text
        assert "pytest" not in text
