"""The command on a repository of someone's own, and each way in which it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from bench.cli.regress import _of_no_use
from bench.errors import InputError
from bench.regress import accuracy, gate
from bench.regress.accuracy import decided, train_cells
from bench.regress.file import GATE, Accuracy, GateFile, for_own
from bench.regress.gate import Gate
from bench.regress.history import save
from bench.regress.processes import Probe, ProbeFailed
from bench.regress.record import CellTrainings, Finding, GateReport
from bench.regress.tree import Tree
from bench.toml_file import ROOT, read_toml
from tests.bench.regress.conftest import changed
from tests.bench.regress.samples import MACHINE, NUMBERS, report, revision

Bench = Callable[..., Any]
FILE = read_toml(GATE, GateFile)
HERE, BEFORE = Tree(ROOT, "working tree"), Tree(ROOT, "main")

SMALL = """
about = "small"
threads = 1
budget_minutes = 1
packages = ["theirnet"]
imports = ["theirnet"]

[exact]
models = ["theirnet_a"]
image_size = 32
batch_size = 2
channels = 3
num_classes = 8

[run_time]
limit = { minimum_effect = 0.025, must_find = 0.05 }
across_processes = { minimum_effect = 0.25, must_find = 0.5 }
level = 0.99
first_blocks = 1
most_blocks = 1
channels = 3
num_classes = 8
yardstick = "test_resnet"
dataset = { name = "phantom-joint" }
source_size = 32

[run_time.protocol]
about = ""
source = ""
epochs = 1
batch_size = 8
select = "auc"
optimizer = { name = "adamw", lr = 1e-3 }

[[run_time.row]]
metric = "throughput"
model = "theirnet_a"
image_size = 32
batch_size = 2
rounds = 12
"""


def asked(repository: Path, tmp_path: Path, baseline: str, *more: str) -> list[str]:
    (tmp_path / "small.toml").write_text(SMALL)
    places = ["--repository", str(repository), "--output", str(tmp_path / "out")]
    small = ["--gate", str(tmp_path / "small.toml")]
    return ["regress", "--baseline", baseline, *places, *small, *more]


def test_one_parameter_more_ends_with_1_and_says_which(
    bench: Bench, repository: Path, tmp_path: Path
) -> None:
    changed(
        repository,
        "theirnet/__init__.py",
        "        self.head =",
        "        self.spare = nn.Parameter(self.conv.weight.new_zeros(1))\n        self.head =",
    )
    said = bench(*asked(repository, tmp_path, "HEAD", "--only", "exact"))
    assert said.code == 1, said.err
    out = tmp_path / "out"
    report = GateReport.model_validate_json((out / "regression.json").read_text())
    worse = [finding.name for finding in report.findings if finding.verdict == "regression"]
    assert worse == [
        "parameters:theirnet_a",
        "trainable parameters:theirnet_a",
        "gradient reaches the weights:theirnet_a",  # nothing uses it
    ]
    assert "regression: parameters of theirnet_a" in (out / "regression.md").read_text()
    assert sum(suite.failures for suite in JUnitXml.fromfile(str(out / "regression.xml"))) == 3
    assert not list(repository.rglob("__pycache__"))  # a tree of someone's own stays as it is


def test_a_pattern_that_accepts_nothing_is_told() -> None:
    found = report(Finding(name="MACs:net", kind="exact", verdict="pass"))
    assert not list(_of_no_use(["MACs:*"], found))
    (line,) = _of_no_use(["MACs:net", "MACs of net"], found)
    assert line.startswith("--accept MACs of net: nothing found is called so")
    assert "'MACs:net'" in line


def test_times_of_another_machine_end_with_3(
    bench: Bench, repository: Path, tmp_path: Path
) -> None:
    elsewhere = revision("a" * 40)
    save(elsewhere, tmp_path / "theirs-results")
    folder = str(tmp_path / "theirs-results")
    said = bench(*asked(repository, tmp_path, folder, "--only", "run-time"))
    assert said.code == 3, said.err
    page = (tmp_path / "out" / "regression.md").read_text()
    assert "measured by another machine or packages: A processor" in page


def test_what_cannot_be_used_ends_with_2_before_anything_is_measured(
    bench: Bench, repository: Path, tmp_path: Path
) -> None:
    started = time.monotonic()
    empty = tmp_path / "empty"
    empty.mkdir()
    changed(repository, "theirnet/parts.py", "return 4", "return 8")
    for arguments, said in (
        (["regress"], "--baseline: nothing to compare with"),
        (asked(repository, tmp_path, "nope"), "'nope' is no git revision"),
        (asked(repository, tmp_path, str(empty)), "has neither the package 'theirnet' nor"),
        (asked(repository, tmp_path, "HEAD", "--only", "speed"), "no part 'speed'"),
        (asked(repository, tmp_path, "HEAD", "--only", ","), "names no part"),
        (asked(repository, tmp_path, "HEAD", "--record"), "only a commit can be recorded"),
        (asked(repository, tmp_path, "HEAD", "--model", "x"), "give --import PACKAGE --model NAME"),
    ):
        ended = bench(*arguments)
        assert ended.code == 2
        assert said in ended.err
        assert len(ended.err.splitlines()) <= 2
    assert not (tmp_path / "out").exists()
    assert time.monotonic() - started < 30


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_measured(
    bench: Bench, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")

    def measure(self: Gate) -> GateReport:
        raise AssertionError("it was measured")

    monkeypatch.setattr(Gate, "run", measure)
    nowhere = ("--output", str(tmp_path / "dangling"))
    ended = bench(*asked(repository, tmp_path, "HEAD"), *nowhere)
    assert ended.code == 2
    assert "--output: no report can be written to" in ended.err


def test_the_working_tree_as_an_archive(bench: Bench, repository: Path, tmp_path: Path) -> None:
    packed = tmp_path / "baseline.tar.gz"
    said = bench(*asked(repository, tmp_path, "HEAD", "--export", str(packed)))
    assert said.code == 0, said.err
    assert "2 files" in said.out
    assert packed.is_file()


def failing(where: str) -> Callable[..., list[dict[str, Any]]]:
    def look(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        (probe,) = [probe for probe in probes if probe.tree.label == where]
        raise ProbeFailed(probe, "ImportError: no part")

    return look


def test_code_that_fails_where_the_baselines_does_not_is_a_regression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "look", failing("working tree"))
    report = Gate(FILE, HERE, BEFORE, parts=["exact"]).run()
    assert report.exit_code == 1
    assert "the working tree fails: ImportError" in report.findings[0].says


def test_a_baseline_that_fails_is_an_unusable_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "look", failing("main"))
    with pytest.raises(InputError, match="main cannot be measured"):
        Gate(FILE, HERE, BEFORE, parts=["exact"]).run()


def test_nothing_measured_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        machine = MACHINE.model_dump()
        return [{"machine": machine, "models": {}, "absent": [], "strangers": []} for _ in probes]

    monkeypatch.setattr(gate, "look", nothing)
    report = Gate(FILE, HERE, BEFORE, parts=["exact"]).run()
    assert report.exit_code == 2


def test_numbers_of_both_trees_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        return [
            {
                "machine": MACHINE.model_dump(),
                "models": {"net": NUMBERS.model_dump() | {"macs": 10_000 + (probe.tree is HERE)}},
                "absent": [],
                "strangers": [],
            }
            for probe in probes
        ]

    monkeypatch.setattr(gate, "look", counted)
    report = Gate(FILE, HERE, BEFORE, parts=["exact"]).run()
    assert report.exit_code == 1
    assert Gate(FILE, HERE, BEFORE, parts=["exact"], accept=["MACs:net"]).run().exit_code == 0
    assert Gate(FILE, BEFORE, BEFORE, parts=["exact"]).run().exit_code == 0


@pytest.mark.parametrize(
    ("gaps", "looks", "deadline"),
    [
        ([0.0] * 12, [3], 1e9),  # decided at the first look
        ([-0.2, 0.2] * 6, [3, 5, 8, 12], 1e9),  # never decided
        ([-0.2, 0.2] * 6, [3], 0.0),  # no time for a second look
    ],
)
def test_more_seeds_are_trained_only_while_undecided(
    monkeypatch: pytest.MonkeyPatch, gaps: list[float], looks: list[int], deadline: float
) -> None:
    assert FILE.accuracy is not None
    trained: list[int] = []

    def look(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        return [{"cells": [_scored(cell, probe) for cell in _cells(probe)]} for probe in probes]

    def _cells(probe: Probe) -> list[dict[str, Any]]:
        cells: list[dict[str, Any]] = probe.request["cells"]
        return cells

    def _scored(cell: dict[str, Any], probe: Probe) -> dict[str, Any]:
        scores = [0.7 + (gaps[seed] if probe.tree is HERE else 0.0) for seed in cell["seeds"]]
        bits = {"acc": 0.5, "weights_sha256": "", "losses": [], "wall_s": 1.0}
        made = [
            {"seed": s, "auc": auc} | bits for s, auc in zip(cell["seeds"], scores, strict=True)
        ]
        return {"trainings": made, "unavailable": None, "checksum": "same"}

    monkeypatch.setattr(accuracy, "look", look)
    cells = train_cells(
        FILE.accuracy, FILE, HERE, BEFORE, deadline=deadline, on_look=trained.append
    )
    assert trained == looks
    assert all(len(cell.candidate) == len(cell.baseline) == looks[-1] for cell in cells)
    assert decided(cells[0], FILE.accuracy) is (gaps[0] == 0)


def test_trainings_of_the_baseline_that_fail_are_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FILE.accuracy is not None
    monkeypatch.setattr(accuracy, "look", failing("main"))
    with pytest.raises(InputError, match="trainings of main fail"):
        train_cells(FILE.accuracy, FILE, HERE, BEFORE, deadline=0.0)
    monkeypatch.setattr(accuracy, "look", failing("working tree"))
    with pytest.raises(ProbeFailed):
        train_cells(FILE.accuracy, FILE, HERE, BEFORE, deadline=0.0)


def test_checks_that_fail_on_both_trees_are_no_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        if probes[0].name == "exact":
            return [_of_machine() for _ in probes]
        raise ProbeFailed(probes[0], "InputError: no such model")

    monkeypatch.setattr(gate, "look", look)
    with pytest.raises(InputError, match="main cannot be measured"):
        Gate(FILE, HERE, BEFORE, parts=["checks"]).run()


def test_a_regression_that_was_found_stands_whatever_becomes_of_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        raise ProbeFailed(probes[0], "SyntaxError: invalid syntax")

    def train(*_: Any, **__: Any) -> None:
        raise InputError("trainings of main fail", remedy="choose another baseline")

    monkeypatch.setattr(gate, "look", look)
    monkeypatch.setattr(gate, "train_cells", train)
    report = Gate(FILE, HERE, BEFORE, parts=["exact", "accuracy"]).run()
    assert report.exit_code == 1
    assert [finding.verdict for finding in report.findings] == ["regression", "not measured"]
    monkeypatch.setattr(gate, "look", lambda probes, file: [_of_machine() for _ in probes])
    with pytest.raises(InputError, match="trainings of main"):
        Gate(FILE, HERE, BEFORE, parts=["accuracy"]).run()


@pytest.mark.parametrize(
    ("theirs", "again", "verdict", "code"),
    [
        (None, "546 images", "regression", 1),
        ("no network", "546 images", "no data", 2),
        (None, None, "no data", 2),  # a download that failed the first time
    ],
)
def test_data_that_the_working_tree_alone_cannot_load_is_a_regression(
    monkeypatch: pytest.MonkeyPatch,
    theirs: str | None,
    again: str | None,
    verdict: str,
    code: int,
) -> None:
    def look(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        if probes[0].name == "exact":
            return [_of_machine() for _ in probes]
        ours = again if probes[0].request.get("load_only") else "546 images"
        why = [(ours if p.tree is HERE else theirs) if p.name == "files" else None for p in probes]
        held = {"name": "learning rate", "passed": True, "detail": ""}
        return [{"checks": [] if said else [held], "unavailable": said} for said in why]

    monkeypatch.setattr(gate, "look", look)
    report = Gate(FILE, HERE, BEFORE, parts=["checks"]).run()
    assert report.exit_code == code
    assert [finding.verdict for finding in report.findings] == ["pass", verdict]
    assert "546 images" in report.findings[1].says
    known = ["files can be measured"]  # accepts that data are missing, and nothing else
    accepting = Gate(FILE, HERE, BEFORE, parts=["checks"], accept=known).run()
    assert accepting.exit_code == (1 if verdict == "regression" else 0)


def test_a_pass_that_only_accepted_missing_data_measured_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def train(*_: Any, **__: Any) -> list[CellTrainings]:
        return [CellTrainings(label="net on data", unavailable="no network")]

    monkeypatch.setattr(gate, "look", lambda probes, file: [_of_machine() for _ in probes])
    monkeypatch.setattr(gate, "train_cells", train)
    report = Gate(FILE, HERE, BEFORE, parts=["accuracy"], accept=["AUC:*"]).run()
    assert report.exit_code == 2


@pytest.mark.parametrize(("again", "lost"), [(None, False), ("546 images", True)])
def test_trainings_without_data_are_lost_only_if_refused_twice(
    monkeypatch: pytest.MonkeyPatch, again: str | None, lost: bool
) -> None:
    assert FILE.accuracy is not None

    def look(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        def answered(cell: dict[str, Any], probe: Probe) -> dict[str, Any]:
            ours = "546 images" if cell["seeds"] else again
            why = ours if probe.tree is HERE else None
            return {"trainings": [], "unavailable": why, "checksum": None}

        return [{"cells": [answered(c, p) for c in p.request["cells"]]} for p in probes]

    monkeypatch.setattr(accuracy, "look", look)
    for cell in train_cells(FILE.accuracy, FILE, HERE, BEFORE, deadline=0.0):
        assert (cell.unavailable, cell.lost) == ("546 images", lost)


@pytest.mark.parametrize(
    ("file", "added", "code", "said"),
    [
        ("medspectralnet/network.py", "import os; os._exit(0)", 1, "exact can be measured"),
        ("bench/regress/gate.py", "raise ValueError('no')", 2, "the gate broke off: ValueError"),
    ],
)
def test_a_checkout_that_cannot_be_imported_never_passes(
    tmp_path: Path, file: str, added: str, code: int, said: str
) -> None:
    """The command runs the working tree's own code: how that ends as it is loaded says nothing."""
    gate_file = ROOT / "suites" / "regress" / "gate.toml"
    names = [*FILE.packages, "suites", "pyproject.toml"]
    for name in names:
        source, target = ROOT / name, tmp_path / "here" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (tmp_path / "here" / "results").mkdir()
    with (tmp_path / "here" / file).open("a") as source_file:
        source_file.write(f"\n{added}\n")
    few = gate_file.read_text().split("models = [")
    (tmp_path / "few.toml").write_text(
        f'{few[0]}models = ["test_medspectralnet"]{few[1][few[1].index("]") + 1 :]}'
    )
    asked = ["--baseline", str(ROOT), "--output", str(tmp_path / "out"), "--only", "exact,run-time"]
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "regress", *asked, "--gate", str(tmp_path / "few.toml")],
        cwd=tmp_path / "here",
        env={**os.environ, "BENCH_RESULTS": str(tmp_path / "here" / "results")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert said in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def _of_machine() -> dict[str, Any]:
    machine = MACHINE.model_dump()
    return {"machine": machine, "models": {}, "absent": [], "strangers": []}


def test_models_that_are_all_new_were_held_against_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
        new = {"models": {"net": NUMBERS.model_dump()}}
        return [_of_machine() | (new if probe.tree is HERE else {}) for probe in probes]

    monkeypatch.setattr(gate, "look", look)
    assert Gate(FILE, HERE, BEFORE, parts=["exact"]).run().exit_code == 2


def test_two_of_one_label_are_refused_and_made_one_for_another_repository() -> None:
    assert FILE.accuracy is not None
    asked = FILE.accuracy.model_dump()
    with pytest.raises(ValueError, match="stands there twice"):
        Accuracy.model_validate(asked | {"cell": [asked["cell"][0]] * 2})
    two = [cell.model_copy(update={"model": name}) for name in "ab" for cell in FILE.accuracy.cell]
    both = FILE.model_copy(update={"accuracy": FILE.accuracy.model_copy(update={"cell": two})})
    own = for_own(both, "mine", ["mine_a"])
    assert own.accuracy is not None
    assert [cell.label for cell in own.accuracy.cell] == [
        "mine_a on phantom-joint", "mine_a on breastmnist",
    ]  # fmt: skip


def test_what_breaks_off_ends_with_2_and_leaves_no_earlier_report(
    bench: Bench, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Gate) -> GateReport:
        raise ZeroDivisionError("division by zero")

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "regression.md").write_text("## Gate: no regression")
    monkeypatch.setattr(Gate, "run", broken)
    ended = bench(*asked(repository, tmp_path, "HEAD"))
    assert ended.code == 2
    assert "the gate broke off: ZeroDivisionError: division by zero" in ended.err
    assert not list((tmp_path / "out").iterdir())
    assert bench(*asked(repository, tmp_path, "")).code == 2
