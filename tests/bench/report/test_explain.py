"""`explain`: a record in words, and commands that make the same run again."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from bench.records.store import Store
from bench.report.explain import record as module
from bench.suite import load_suite
from bench.toml_file import ROOT
from tests.bench.conftest import Command


def test_a_run_says_what_it_rests_on(bench: Command, suite_file: Path, results: Path) -> None:
    assert bench("run", suite_file, "--only", "model=small,seed=0,control=none").code == 0
    (record,) = Store(results).all()
    said = bench("explain", record.id[:6])
    assert said.code == 0, said.err
    assert record.training is not None
    for part in (
        f"small · phantom-joint · seed 0: done (training {record.id})",
        f"ACC {100 * record.training.test.acc:.1f} %",
        record.spec.data.checksum,  # type: ignore[union-attr]
        "protocol: epochs 1, batch_size 16",
        f"{record.provenance.commit}",
        "(in this history)",
        "code: gives the same today",
        "npz, unchanged",
        "no suite of the checkout",
        "taken by: no table, figure or claim",
    ):
        assert part in said.out
    store = Store(results)
    for file in (store.path(record.id), store.predictions_path(record.id)):
        assert bench("explain", file).out == said.out
    checked = bench("explain", record.id, "--check")
    assert checked.code == 0
    assert "check: what is stored holds to the last digit" in checked.out
    store.predictions_path(record.id).write_bytes(b"other")
    path = store.path(record.id)
    text = json.loads(path.read_text())
    text["provenance"] |= {"source_digest": "0" * 16, "commit": "0" * 40, "dirty": True}
    path.write_text(json.dumps(text))
    said = bench("explain", record.id)
    assert "GONE OR CHANGED" in said.out
    assert "the record is stale" in said.out
    assert "with changes that were not committed (NOT in this repository)" in said.out
    assert bench("explain", record.id, "--check").code == 1


def test_a_score_that_was_tampered_with_is_found(
    bench: Command, suite_file: Path, results: Path
) -> None:
    assert bench("run", suite_file, "--only", "model=small,seed=0,control=none").code == 0
    store = Store(results)
    (record,) = store.all()
    text = json.loads(store.path(record.id).read_text())
    text["training"]["test"]["acc"] += 0.01
    store.path(record.id).write_text(json.dumps(text))
    said = bench("explain", record.id, "--check")
    assert said.code == 1
    assert "training.test.acc" in said.err
    assert "does NOT hold" in said.out


def test_the_command_it_gives_asks_for_the_same_run(
    bench: Command, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench("run", suite_file, "--only", "model=small,control=blur-2").code == 0
    (record,) = Store(results).all()
    loaded = load_suite(str(suite_file))
    monkeypatch.setattr(module, "suite_names", lambda: ["mine"])
    monkeypatch.setattr(module, "load_suite", lambda _: loaded)
    lines = module.explain(Store(results), record)
    again = lines[-1]
    assert any(f"git checkout {record.provenance.commit} && make setup" in one for one in lines)
    assert "  data: phantom-joint is made by the code" in lines
    asked = shlex.split(again.partition("python -m bench ")[2])
    assert asked[:2] == ["run", loaded.name]
    said = bench("run", suite_file, *asked[2:], "--dry-run")
    assert "0 to do" in said.out, said.out + said.err


@pytest.mark.parametrize(("identity", "wanted"), [("434bbc75c220bd4f", ["roster-224"])])
def test_only_suites_that_would_make_a_cost_again_are_named(
    identity: str, wanted: list[str]
) -> None:
    store = Store(ROOT / "results")
    (record,) = [one for one in store.all() if one.id == identity]
    lines = module.explain(store, record)
    (asked,) = [line for line in lines if line.startswith("asked for by: ")]
    assert asked == f"asked for by: {', '.join(wanted)}"
    assert f"bench measure {wanted[0]} --only" in lines[-1]


def test_the_suite_that_a_training_was_made_for_comes_first() -> None:
    store = Store(ROOT / "results")
    of_gpu = [r for r in store.all() if r.suite is not None and r.suite.name == "gpu-64"]
    some = of_gpu[:: len(of_gpu) // 2]  # each takes seconds
    (command,) = {module.explain(store, r)[-1].partition(" --only")[0] for r in some}
    assert command.endswith("bench run gpu-64")


def test_a_failure_says_why(bench: Command, suite_file: Path, results: Path) -> None:
    assert bench("run", suite_file, "--only", "model=small,seed=0,control=none").code == 0
    store = Store(results)
    (record,) = store.all()
    failed = {"status": "failed", "reason": "the training loss became nan", "training": None}
    store.save(record.model_copy(update=failed))
    said = bench("explain", record.id)
    assert "small · phantom-joint · seed 0: failed" in said.out
    assert "why: the training loss became nan" in said.out
    assert "test: " not in said.out
    refused = bench("explain", record.id, "--check")
    assert refused.code == 2
    assert "only a finished training or trial" in refused.err


def own(folder: str) -> Path:
    return min((ROOT / "results" / folder).glob("*.json"))


@pytest.mark.parametrize(
    ("folder", "parts"),
    [
        ("trials", ("of search", "no test split was opened", "enters no table", "-m bench search")),
        ("studies/selection", ("of study selection", "at the best", "-m bench study selection")),
        ("races", ("races {name}:", "race: ", "python -m bench race {name}")),
    ],
)
def test_every_kind_is_found_by_id_and_by_path(
    bench: Command, monkeypatch: pytest.MonkeyPatch, folder: str, parts: tuple[str, ...]
) -> None:
    monkeypatch.setenv("BENCH_RESULTS", str(ROOT / "results"))
    path = own(folder)
    said = bench("explain", path.stem)
    assert said.code == 0, said.err
    for part in parts:
        assert part.format(name=path.stem) in said.out
    assert bench("explain", path).out == said.out


def test_a_published_run_says_where(bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_RESULTS", str(ROOT / "results"))
    rows = (ROOT / "reports" / "official" / "verdicts-runs.csv").read_text().splitlines()
    identity = next(row for row in rows if ",resnet18_cifar,breastmnist,0," in row).split(",")[-1]
    said = bench("explain", identity)
    assert "taken by the tables of: official" in said.out
    assert "official/verdicts-runs.csv" in said.out
    assert "claims that rest on it: replication-breastmnist" in said.out


@pytest.mark.parametrize(
    ("identity", "problem"),
    [
        ("ab", "too short"),
        ("zzzzzz", "no record's id begins"),
        ("nowhere.json", "no such file"),
        (str(ROOT / "results" / "trust.json"), "`python -m bench trust` makes it"),
        (str(min((ROOT / "results" / "trials").glob("*.json"))), "set BENCH_RESULTS"),
    ],
)
def test_an_id_that_leads_nowhere_is_one_line(
    bench: Command, results: Path, identity: str, problem: str
) -> None:
    said = bench("explain", identity)
    assert said.code == 2
    assert problem in said.err
    assert said.err.count("\n") == 1


def test_outside_git_nothing_is_said_of_history(
    bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_git(*_: object, **__: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", no_git)
    monkeypatch.setenv("BENCH_RESULTS", str(ROOT / "results"))
    said = bench("explain", own("trials").stem)
    assert said.code == 0
    assert "history" not in said.out
