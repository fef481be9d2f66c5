"""What a sceptical user found: each is one clear line, exit code 2, and nothing written or lost."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Said = Any
Bench = Callable[..., Said]

ONE = ("--only", "model=small,seed=0,control=none")


def one_line(said: Said, *parts: str) -> None:
    assert said.code == 2, said.err
    assert len(said.err.strip().splitlines()) == 1, said.err
    for part in parts:
        assert part in said.err


@pytest.mark.parametrize("content", ["[]", "3", "null", '"x"'])
def test_a_record_that_is_no_object_is_named_and_set_aside(
    bench: Bench, suite_file: Path, results: Path, content: str
) -> None:
    bench("run", suite_file, *ONE)
    (path,) = (results / "records").glob("*.json")
    path.write_text(content)
    for command in ("status", "report"):
        one_line(bench(command, suite_file), path.name, "damaged record: it holds")
    again = bench("run", suite_file, *ONE)
    assert again.code == 0
    assert path.with_name(path.name + ".damaged").read_text() == content
    assert json.loads(path.read_text())["status"] == "done"


@pytest.mark.parametrize("value", ["NaN", "1e999", '"nan"', "5.0", "-1"])
def test_a_score_that_cannot_be_is_damage(
    bench: Bench, suite_file: Path, results: Path, value: str
) -> None:
    bench("run", suite_file, *ONE)
    (path,) = (results / "records").glob("*.json")
    record = json.loads(path.read_text())
    record["training"]["test"]["acc"] = "PLANTED"
    path.write_text(json.dumps(record).replace('"PLANTED"', value))
    one_line(bench("report", suite_file), path.name, "damaged record: training.test.acc")


@pytest.mark.parametrize("value", ["nan", "inf", "[1.0, -inf]"])
def test_an_argument_that_no_record_can_hold_is_refused(
    bench: Bench, suite_file: Path, results: Path, value: str
) -> None:
    text = suite_file.read_text()
    suite_file.write_text(
        text.replace('timm = "test_resnet"', f'timm = "test_resnet"\nargs = {{ x = {value} }}')
    )
    one_line(bench("run", suite_file), "mine.toml", "model.small.args.x", "cannot be stored")
    assert not results.exists()


def test_places_that_cannot_be_written_or_read_are_named(
    bench: Bench, suite_file: Path, tmp_path: Path
) -> None:
    bench("run", suite_file, *ONE)
    one_line(bench("report", suite_file, "--output", tmp_path / "tiny.toml"), "tiny.toml")
    out = tmp_path / "out"
    missing = bench("report", suite_file, "--output", out, "--embed", tmp_path / "missing.md")
    one_line(missing, "missing.md", "cannot be read")
    (tmp_path / "page.md").write_text("no markers\n")
    one_line(bench("report", suite_file, "--output", out, "--embed", tmp_path / "page.md"))
    assert not out.exists()


def test_lost_predictions_show_in_status_and_stop_only_their_own_suite(
    bench: Bench, suite_file: Path, results: Path, tmp_path: Path
) -> None:
    bench("run", suite_file, *ONE)
    other = tmp_path / "other.toml"
    other.write_text(suite_file.read_text().replace("seeds = [0, 1]", "seeds = [7]"))
    bench("run", other, "--only", "model=small,seed=7")
    lost, _ = sorted(
        (results / "records").glob("*.npz"),
        key=lambda path: json.loads(path.with_suffix(".json").read_text())["spec"]["seed"],
    )
    lost.unlink()
    said = bench("status", suite_file)
    assert f"lost     small · phantom-joint · seed 0 ({lost.stem})" in said.out
    assert "1 lost" in said.out
    out = tmp_path / "out"
    one_line(bench("report", suite_file, "--output", out), f"{lost.stem}.json", f"run {suite_file}")
    assert bench("report", other, "--output", out).code == 0


def test_an_own_suite_never_replaces_the_tables_of_the_projects(
    bench: Bench, suite_file: Path, tmp_path: Path
) -> None:
    clash = tmp_path / "breast.toml"
    clash.write_text(suite_file.read_text())
    one_line(bench("report", clash), str(clash), "project's suite 'breast'", "--output")
    assert bench("report", clash, "--output", tmp_path / "out").code == 0
    text = (tmp_path / "out" / "accuracy.md").read_text()
    assert f"`python -m bench run {clash}` makes them" in text


def test_only_that_leaves_nothing_is_refused(bench: Bench, suite_file: Path) -> None:
    one_line(bench("run", suite_file, "--only", "seed=1,control=blur-2"), "all of these at once")
    one_line(bench("run", suite_file, "--only", ",,"), "names nothing")


def test_a_batch_that_no_split_fills_is_refused(
    bench: Bench, suite_file: Path, results: Path, tmp_path: Path
) -> None:
    protocol = tmp_path / "tiny.toml"
    protocol.write_text(protocol.read_text().replace("batch_size = 16", "batch_size = 64"))
    one_line(bench("run", suite_file), "tiny.toml", "batch_size", "32 training images")
    assert not results.exists()


def test_names_and_keys_are_those_of_the_file(
    bench: Bench, suite_file: Path, tmp_path: Path
) -> None:
    text = suite_file.read_text()
    suite_file.write_text(text.replace('"phantom-joint"]', '"breastmnst"]'))
    said = bench("run", suite_file)
    assert "grid.datasets" in said.err or "dataset.phantom-joint" in said.err
    suite_file.write_text(
        text.replace('timm = "test_resnet"', 'timm = "test_resnet"\nargs = { width = 3 }')
    )
    one_line(bench("run", suite_file), "mine.toml: model.small.args.width")
    suite_file.write_text(text.replace("about =", "abuot =", 1))
    one_line(bench("run", suite_file), "abuot: unknown key", "did you mean 'about'?")
    suite_file.write_text(text.replace('device = "cpu"', 'device = "gpu"'))
    one_line(bench("run", suite_file), "device: ", "not 'gpu'")


ENDING = """
import sys
from torch import nn

def at_once(num_classes, in_chans, **_):
    sys.exit(0)

class Later(nn.Module):
    def __init__(self, num_classes, in_chans):
        super().__init__()
        self.head = nn.Linear(in_chans, num_classes)

    def forward(self, x):
        if self.training:
            sys.exit(3)
        return self.head(x.mean((2, 3)))

def later(num_classes, in_chans, **_):
    return Later(num_classes, in_chans)
"""


def test_a_model_that_ends_the_process_ends_its_own_run_alone(
    bench: Bench,
    suite_file: Path,
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "ending.py").write_text(ENDING)
    monkeypatch.syspath_prepend(tmp_path)
    text = suite_file.read_text().replace(
        "[model.medspectralnet]\ntimm", "[model.medspectralnet]\n#"
    )
    suite_file.write_text(text.replace("#", 'factory = "ending:at_once"\n#', 1))
    one_line(bench("run", suite_file, "--dry-run"), "called sys.exit(0) while it was built")
    suite_file.write_text(text.replace("#", 'factory = "ending:later"\n#', 1))
    said = bench("run", suite_file, "--only", "seed=0,control=none")
    assert said.code == 1
    made = [json.loads(path.read_text()) for path in (results / "records").glob("*.json")]
    assert sorted(record["status"] for record in made) == ["done", "failed"]
    assert "the model called sys.exit(3)" in said.out


def test_weights_out_of_reach_are_one_line_at_once(
    bench: Bench,
    suite_file: Path,
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreachable(*args: object, **kwargs: object) -> socket.socket:
        raise OSError("no route")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    text = suite_file.read_text()
    suite_file.write_text(
        text.replace('timm = "test_resnet"', 'timm = "test_resnet"\npretrained = true')
    )
    one_line(bench("run", suite_file), "pre-trained weights of 'small'", "no network")
    assert not results.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_reports_that_may_not_be_written_are_named(
    bench: Bench, suite_file: Path, tmp_path: Path
) -> None:
    bench("run", suite_file, *ONE)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    one_line(bench("report", suite_file, "--output", closed / "out"), "closed", "Permission")
