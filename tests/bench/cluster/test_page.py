"""What docs/cluster.md shows can be used: its commands exist, its manifest holds together."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from bench.cli.app import app
from bench.toml_file import ROOT

PAGE = (ROOT / "docs" / "cluster.md").read_text()
COMMANDS = sorted(set(re.findall(r"python -m bench (\w+[^`#\n…)]*)", PAGE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one_that_there_is(command: str) -> None:
    name, *given = shlex.split(command)
    known = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    options = {option for parameter in known.params for option in parameter.opts}
    assert [word for word in given if word.startswith("--") and word not in options] == []


def test_commands_were_found() -> None:
    assert {command.split()[0] for command in COMMANDS} >= {"run", "submit", "status", "cluster"}


def pods() -> dict[str, Any]:
    manifest = re.search(r"```yaml\n(.*?)```", PAGE, re.S)
    assert manifest is not None
    cluster = yaml.safe_load(manifest[1])["spec"]["rayClusterSpec"]
    (worker,) = cluster["workerGroupSpecs"]
    assert 1 <= worker["minReplicas"] <= worker["replicas"] <= worker["maxReplicas"]
    return {
        "head": cluster["headGroupSpec"]["template"]["spec"],
        "worker": worker["template"]["spec"],
    }


def test_a_pod_declares_the_volumes_that_it_mounts_and_no_other() -> None:
    """A worker that declares the head's volume waits for it where one node may attach it."""
    for pod in pods().values():
        (container,) = pod["containers"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
