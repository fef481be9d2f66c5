"""Probes in processes of their own, each on one tree's code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import InputError
from bench.regress.file import GateFile
from bench.regress.probes import ANSWER
from bench.regress.tree import Tree
from bench.toml_file import ROOT

_OURS = Path(__file__).resolve().parent
# The tree's own ``bench``, with this package in the place of whatever it has under that name.
_LAUNCH = (
    "import runpy, sys, types, bench; package = types.ModuleType('bench.regress'); "
    f"package.__path__ = [{str(_OURS)!r}]; sys.modules['bench.regress'] = package; "
    "runpy.run_module('bench.regress.probes.' + sys.argv[1], run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True)
class Probe:
    """What to look at, and in which tree."""

    name: str  # module of bench.regress.probes
    tree: Tree
    request: dict[str, Any]


class ProbeFailed(Exception):
    """The process ended otherwise than it should; the message is its last line."""

    def __init__(self, probe: Probe, said: str) -> None:
        self.probe = probe
        super().__init__(said)


def look(probes: Sequence[Probe], file: GateFile) -> list[dict[str, Any]]:
    """What each finds, in their order; they run at the same time.

    Raises:
        ProbeFailed: a process failed; of several, the last, so that a baseline that stands behind
            the candidate and fails as well is what is named.
        InputError: what ran was not the tree's code.
    """
    started: list[subprocess.Popen[str]] = []
    try:
        for probe in probes:
            started.append(_start(probe, file))
        ended = [(*process.communicate(), process.returncode) for process in started]
    finally:
        for process in started:
            process.kill()
    found: list[dict[str, Any]] = []
    for probe, (out, err, code) in reversed(list(zip(probes, ended, strict=True))):
        if code != 0:
            lines = err.strip().splitlines()
            raise ProbeFailed(probe, lines[-1] if lines else f"exit code {code}")
        found.insert(0, _answer(probe, out))
    for probe, answer in zip(probes, found, strict=True):
        if answer["strangers"]:
            raise InputError(
                f"what ran was not {probe.tree.label}: {answer['strangers'][0]}",
                remedy="the packages must import each other by their own names alone",
                key="packages",
            )
    return found


def _answer(probe: Probe, out: str) -> dict[str, Any]:
    lines = [line for line in out.splitlines() if line.startswith(ANSWER)]
    if not lines:  # such as code that ends the process by itself
        raise ProbeFailed(probe, "it ended before it was looked at")
    answer: dict[str, Any] = json.loads(lines[-1].removeprefix(ANSWER))
    return answer


def _start(probe: Probe, file: GateFile) -> subprocess.Popen[str]:
    request = probe.request | {
        "threads": file.threads,
        "packages": file.packages,
        "imports": file.imports,
        "tree": str(probe.tree.folder),
    }
    # -P: neither the caller's folder nor a script's is on the path, the tree comes first
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _LAUNCH, probe.name, json.dumps(request)],
        env=environment(probe.tree, file),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",  # a tree may print any bytes
    )


def environment(tree: Tree, file: GateFile) -> dict[str, str]:
    """The caller's, with the tree first; the harness behind it only where it is the instrument."""
    places = [str(tree.folder)] if file.judges_harness else [str(tree.folder), str(ROOT)]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(places),
        "PYTHONDONTWRITEBYTECODE": "1",  # a tree of someone's own stays as it is
        "BENCH_CACHE": "",
        "OMP_NUM_THREADS": str(file.threads),
    }
