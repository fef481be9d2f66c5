"""Are the scan's kernels for GPUs right on this one? Their tests are run and the outcome kept."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Literal

from bench.errors import InputError
from bench.gpu.record import Machine
from bench.provenance import race_digest
from bench.records.base import Stored
from bench.records.schema import Provenance
from bench.records.single import load_single, save_single
from bench.run.recording import Clock, made_now
from bench.specs import content_id, deciding
from bench.toml_file import ROOT

FOLDER = "kernels"  # below the results folder
TESTS = "tests/baselines/test_gpu_scan.py"
DECIDING = (TESTS, "tests/_helpers/scans.py", "tests/conftest.py")
"""A check is of the kernels and of its tests: where these change, it is another one."""
MOST_AT_ONCE = 8  # tests: what they wait for is Triton's compiler, on one core each


class KernelTest(Stored):
    """One test; ``why`` says what failed, or why it was skipped."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    seconds: float
    why: str = ""


class KernelCheck(Stored):
    """The kernels' tests on one machine, with one torch and today's code."""

    schema_version: Literal[1] = 1
    machine: Machine
    selected: str | None  # pytest's -k; None: all
    provenance: Provenance
    tests: list[KernelTest]

    @property
    def id(self) -> str:
        """16 hex digits over the machine, the code and what was selected."""
        return identity(self.machine, self.selected, self.provenance.source_digest)

    @property
    def passed(self) -> bool:
        """Whether some passed and none failed."""
        outcomes = {test.outcome for test in self.tests}
        return "passed" in outcomes and "failed" not in outcomes

    @property
    def summary(self) -> str:
        """``20 passed, 2 skipped on NVIDIA H100, torch 2.11.0``."""
        counts = Counter(test.outcome for test in self.tests)
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        return f"{told or 'no test'} on {self.machine.device_name}, torch {self.machine.torch}"


def identity(machine: Machine, selected: str | None, digest: str) -> str:
    """The id of a check of the code with this digest."""
    return content_id(
        "kernels", {"machine": deciding(machine), "selected": selected, "code": digest}
    )


def digest_today() -> str:
    """16 hex digits over the kernels, what they stand in and their tests, as they are on disk."""
    return race_digest(["medmamba_tiny"], DECIDING)


def check_kernels(machine: Machine, selected: str | None, results: Path) -> KernelCheck:
    """Run the tests in a process of their own; the outcome is kept, whatever it is.

    Raises:
        InputError: pytest could not run them.
    """
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        done = subprocess.run(
            _pytest(report, selected),
            cwd=ROOT,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.is_file():
            said = (done.stderr or done.stdout).strip().splitlines()
            why = said[-1] if said else f"exit code {done.returncode}"
            raise InputError(f"pytest cannot run: {why}", remedy="install it", file=TESTS)
        tests = read_report(report)
    made = made_now(digest_today(), machine.device_name, 1, clock)
    check = KernelCheck(machine=machine, selected=selected, provenance=made, tests=tests)
    save_single(check, results / FOLDER / f"{check.id}.json")
    return check


def kept_check(machine: Machine, selected: str | None, results: Path) -> KernelCheck | None:
    """What was kept of today's code on such a machine, where all passed."""
    name = identity(machine, selected, digest_today())
    check = _load(results / FOLDER / f"{name}.json")
    return check if check is not None and check.passed else None


def load_all(results: Path) -> list[KernelCheck]:
    """Every check, by id.

    Raises:
        InputError: one is damaged.
    """
    found = (_load(path) for path in sorted((results / FOLDER).glob("*.json")))
    return [check for check in found if check is not None]


def _load(path: Path) -> KernelCheck | None:
    return load_single(
        path,
        KernelCheck,
        lambda check: {check.id},
        called="check of the kernels",
        again="run `python -m bench kernels` again",
    )


def _pytest(report: Path, selected: str | None) -> list[str]:
    """Only what the tests need: another machine's plugins and new warnings are no fault of ours."""
    options = ["-p", "pytest_timeout", "-p", "no:cacheprovider", "-o", "filterwarnings=default"]
    options += ["-p", "xdist.plugin", "-n", str(min(MOST_AT_ONCE, os.cpu_count() or 1))]
    chosen = ["-k", selected] if selected is not None else []
    written = [f"--junitxml={report}", "-q", *options, *chosen]
    return [sys.executable, "-m", "pytest", TESTS, *written]


def read_report(report: Path) -> list[KernelTest]:
    """The tests in pytest's JUnit XML; one that broke outside its call has failed too."""
    tests = []
    for case in ET.parse(report).getroot().iter("testcase"):
        outcome: Literal["passed", "failed", "skipped"] = "passed"
        why = ""
        for child in case:
            if child.tag in ("failure", "error"):
                outcome = "failed"
            elif child.tag == "skipped":
                outcome = "skipped"
            else:
                continue
            why = _short(child.get("message") or "")
        seconds = float(case.get("time", 0))
        name = str(case.get("name"))
        tests.append(KernelTest(name=name, outcome=outcome, seconds=seconds, why=why))
    return tests


def _short(message: str) -> str:
    """One line of it; of a long one the start and the end, where a traceback says what it was."""
    line = " ".join(message.split())
    return line if len(line) <= 500 else f"{line[:200]} … {line[-300:]}"
