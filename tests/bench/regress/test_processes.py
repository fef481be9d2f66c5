"""What becomes of processes that fail, and of code that was not the tree's."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from bench.errors import InputError
from bench.regress import processes
from bench.regress.probes import ANSWER
from bench.regress.probes.answering import strangers
from bench.regress.processes import Probe, ProbeFailed, environment, look
from bench.toml_file import ROOT
from tests.bench.regress.test_gate import BEFORE, FILE, HERE

OURS, THEIRS = Probe("exact", HERE, {}), Probe("exact", BEFORE, {})


def ending(monkeypatch: pytest.MonkeyPatch, code: dict[str, str]) -> None:
    """Each tree's process runs this code instead."""

    def start(probe: Probe, file: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code[probe.tree.label]]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, errors="replace")

    monkeypatch.setattr(processes, "_start", start)


GOOD = f"print({json.dumps(ANSWER + json.dumps({'strangers': [], 'found': 1}))})"
BAD = "raise OSError('no part')"


@pytest.mark.parametrize(
    ("ours", "theirs", "named"), [(BAD, GOOD, HERE), (GOOD, BAD, BEFORE), (BAD, BAD, BEFORE)]
)
def test_a_baseline_that_fails_too_is_named_before_the_candidate(
    monkeypatch: pytest.MonkeyPatch, ours: str, theirs: str, named: Any
) -> None:
    ending(monkeypatch, {HERE.label: ours, BEFORE.label: theirs})
    with pytest.raises(ProbeFailed, match="OSError: no part") as caught:
        look([OURS, THEIRS], FILE)
    assert caught.value.probe.tree is named


def test_answers_come_in_the_order_of_the_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, {HERE.label: GOOD, BEFORE.label: GOOD.replace("1", "2")})
    assert [found["found"] for found in look([OURS, THEIRS], FILE)] == [1, 2]


def test_code_from_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    import bench.regress.judge  # noqa: F401  (the gate's own, in whatever tree)

    assert not strangers(["bench"], ROOT)
    assert any(name.startswith("bench.specs ") for name in strangers(["bench"], tmp_path))
    assert not any(name.startswith("bench.regress") for name in strangers(["bench"], tmp_path))
    strange = GOOD.replace("[]", '[\\"bench.specs\\"]')
    ending(monkeypatch, {HERE.label: strange, BEFORE.label: GOOD})
    with pytest.raises(InputError, match="what ran was not working tree"):
        look([OURS, THEIRS], FILE)


def test_the_harness_stands_behind_a_tree_only_where_it_is_the_instrument() -> None:
    assert environment(HERE, FILE)["PYTHONPATH"] == str(ROOT)
    own = FILE.model_copy(update={"packages": ["mine"], "imports": ["mine"]})
    tree = HERE.__class__(ROOT.parent, "theirs")
    assert environment(tree, own)["PYTHONPATH"] == f"{ROOT.parent}:{ROOT}"


def test_a_tree_may_print_what_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = "import sys; sys.stdout.buffer.write(b'\\xff\\n'); sys.stdout.flush()\n"
    ending(monkeypatch, {HERE.label: f"{noisy}{GOOD}\nprint('bye')", BEFORE.label: GOOD})
    assert look([OURS, THEIRS], FILE)[0]["found"] == 1


@pytest.mark.parametrize(("theirs", "named"), [(GOOD, HERE), ("", BEFORE)])
def test_a_process_that_ends_early_has_not_answered(
    monkeypatch: pytest.MonkeyPatch, theirs: str, named: Any
) -> None:
    ending(monkeypatch, {HERE.label: "raise SystemExit(0)", BEFORE.label: theirs})
    with pytest.raises(ProbeFailed, match="before it was looked at") as caught:
        look([OURS, THEIRS], FILE)
    assert caught.value.probe.tree is named
