"""The composite action and the workflow: their steps run here, and fit each other."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.bench.regress.conftest import commit_all

ROOT = Path(__file__).resolve().parents[1]
ACTION = ROOT / ".github" / "actions" / "regress"

STUB = """#!/usr/bin/env bash
printf '%s\\n' "$PWD" "$@" > "$SEEN"
while [ "$1" != "--output" ]; do shift; done
{writes}
exit {code}
"""
PAGE = 'mkdir -p "$2" && echo "## Gate" > "$2/regression.md"'


def action() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text())
    return read


def judge(
    tmp_path: Path, code: int, writes: str = PAGE, **inputs: str
) -> tuple[int, list[str], str, str, str]:
    """Run the step's script with a stand-in for Python; what it was called with and left."""
    stub = tmp_path / "python"
    stub.write_text(STUB.format(code=code, writes=writes))
    stub.chmod(0o755)
    places = {
        name: str(tmp_path / name) for name in ("SEEN", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    }
    for place in places.values():
        Path(place).touch()
    work = tmp_path / "work"
    (work / "src").mkdir(parents=True)
    (work / "src" / "mine.py").touch()
    (work / "my gate.toml").touch()
    (work / "reports").mkdir()
    (work / "reports" / "regression.md").write_text("## Of an earlier step")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=work, check=True)
    commit_all(work, "first")
    done = subprocess.run(
        ["bash", str(ACTION / "judge.sh")],
        cwd=work,
        env=os.environ | places | {"PYTHON": str(stub), "HARNESS": str(ROOT)} | inputs,
        capture_output=True,
        text=True,
        check=False,
    )
    called = Path(places["SEEN"]).read_text().splitlines()
    kept = [Path(places[name]).read_text() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")]
    return done.returncode, called, kept[0], kept[1], done.stdout


@pytest.mark.parametrize(
    ("code", "said"),
    [(0, ""), (1, "Regression"), (2, "Data missing"), (3, "Other machine"), (4, "Too noisy")],
)
def test_the_step_hands_on_exit_code_and_summary(tmp_path: Path, code: int, said: str) -> None:
    own = {"BASELINE": "main", "MODELS": "net_a net_b", "IMPORT": "nets", "TREE": "src"}
    ended, called, output, summary, out = judge(tmp_path, code, **own)
    assert ended == code
    assert output == f"exit-code={code}\n"
    assert summary == "## Gate\n"
    assert said in out
    assert called[0] == str(ROOT)
    assert called[called.index("--repository") + 1] == str(tmp_path / "work" / "src")
    assert [called[i + 1] for i, word in enumerate(called) if word == "--model"] == [
        "net_a",
        "net_b",
    ]
    assert "--import" in called


def test_a_gate_file_takes_the_place_of_models_and_patterns_reach_the_gate(tmp_path: Path) -> None:
    own = {"BASELINE": "main", "GATE": "my gate.toml", "ACCEPT": "MACs:* *"}
    _, called, *_ = judge(tmp_path, 0, **own)
    assert called[called.index("--gate") + 1] == str(tmp_path / "work" / "my gate.toml")
    assert "--model" not in called
    assert [called[i + 1] for i, word in enumerate(called) if word == "--accept"] == ["MACs:*", "*"]


def hash_of(tmp_path: Path) -> str:
    asked = ["git", "rev-parse", "main"]
    done = subprocess.run(asked, cwd=tmp_path / "work", capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_revision_is_handed_on_by_its_hash(tmp_path: Path) -> None:
    _, called, *_ = judge(tmp_path, 0, BASELINE="main", MODELS="net_*", IMPORT="nets")
    assert called[called.index("--baseline") + 1] == hash_of(tmp_path)
    assert called[called.index("--model") + 1] == "net_*"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"BASELINE": ""}, "no baseline was given"),
        ({"BASELINE": "nope"}, "nope is no revision"),
        ({"BASELINE": "docs"}, "docs is no revision"),  # a folder of the harness
        ({"BASELINE": "main", "TREE": "nowhere"}, "there is no folder nowhere"),
        ({"BASELINE": "main", "GATE": "nowhere/gate.toml"}, "there is no file nowhere/gate.toml"),
    ],
)
def test_what_cannot_be_used_ends_with_2_before_the_gate(
    tmp_path: Path, inputs: dict[str, str], said: str
) -> None:
    ended, called, output, summary, out = judge(tmp_path, 0, **inputs)
    assert ended == 2
    assert output == "exit-code=2\n"
    assert said in out
    assert not called
    assert not summary


@pytest.mark.parametrize("code", [0, 1])
def test_a_verdict_without_a_report_is_none(tmp_path: Path, code: int) -> None:
    own = {"BASELINE": "main", "MODELS": "net_a", "IMPORT": "nets"}
    ended, _, output, summary, out = judge(tmp_path, code, writes="", **own)
    assert ended == 2
    assert output == "exit-code=2\n"
    assert "Nothing judged" in out
    assert not summary  # nor is an earlier step's report shown


def test_the_script_reads_what_the_action_gives_it() -> None:
    (step,) = [step for step in action()["runs"]["steps"] if step.get("id") == "gate"]
    script = (ACTION / "judge.sh").read_text()
    given = set(step["env"])
    read = set(re.findall(r"\$\{?([A-Z]+)\b", script)) - {"PYTHON"}
    assert read == given
    used = set(re.findall(r"inputs\.([\w-]+)", str(action()["runs"])))
    assert used == set(action()["inputs"])


def test_the_workflow_and_the_documented_one_give_known_inputs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "regression.yml").read_text())
    documented = re.search(
        r"```yaml\n(.*?)```", (ROOT / "docs" / "regression.md").read_text(), re.S
    )
    assert documented is not None
    assert len(documented[1].splitlines()) < 15
    for jobs in (workflow["jobs"], yaml.safe_load(documented[1])["jobs"]):
        (uses,) = [s for s in jobs["gate"]["steps"] if "actions/regress" in s.get("uses", "")]
        assert set(uses["with"]) <= set(action()["inputs"])
        wanted = {name for name, one in action()["inputs"].items() if one.get("required")}
        assert wanted <= set(uses["with"])
