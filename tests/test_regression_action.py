"""The composite action and the workflow: their steps run here, and fit each other."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
ACTION = ROOT / ".github" / "actions" / "regress"

STUB = """#!/usr/bin/env bash
printf '%s\\n' "$PWD" "$@" > "$SEEN"
while [ "$1" != "--output" ]; do shift; done
mkdir -p "$2" && echo "## Gate" > "$2/regression.md"
exit {code}
"""


def action() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text())
    return read


def judge(tmp_path: Path, code: int, **inputs: str) -> tuple[int, list[str], str, str, str]:
    """Run the step's script with a stand-in for Python; what it was called with and left."""
    stub = tmp_path / "python"
    stub.write_text(STUB.format(code=code))
    stub.chmod(0o755)
    places = {
        name: str(tmp_path / name) for name in ("SEEN", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    }
    work = tmp_path / "work"
    (work / "src").mkdir(parents=True)
    (work / "my gate.toml").touch()
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
    ("code", "said"), [(0, ""), (1, "Regression"), (3, "Other machine"), (4, "Too noisy")]
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


def test_the_script_reads_what_the_action_gives_it() -> None:
    (step,) = [step for step in action()["runs"]["steps"] if step.get("id") == "gate"]
    script = (ACTION / "judge.sh").read_text()
    given = set(step["env"])
    read = set(re.findall(r"\$\{?([A-Z]+)\b", script)) - {"PYTHON"}
    assert read == given
    used = set(re.findall(r"inputs\.([\w-]+)", str(step["env"])))
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
