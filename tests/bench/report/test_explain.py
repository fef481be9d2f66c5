"""`explain`: a record in words, and a command that makes the same run again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from bench.records.store import Store
from bench.report import explain as module
from bench.suite import load_suite
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
        str(record.provenance.commit),
        "code: gives the same today",
        "npz, unchanged",
        "no suite of the checkout",
    ):
        assert part in said.out
    Store(results).predictions_path(record.id).write_bytes(b"other")
    path = Store(results).path(record.id)
    text = json.loads(path.read_text())
    text["provenance"]["source_digest"] = "0" * 16
    path.write_text(json.dumps(text))
    said = bench("explain", record.id)
    assert "GONE OR CHANGED" in said.out
    assert "the record is stale" in said.out


def test_the_command_it_gives_asks_for_the_same_run(
    bench: Command, suite_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench("run", suite_file, "--only", "model=small,control=blur-2").code == 0
    (record,) = Store(results).all()
    loaded = load_suite(str(suite_file))
    monkeypatch.setattr(module, "suite_names", lambda: ["mine"])
    monkeypatch.setattr(module, "load_suite", lambda _: loaded)
    *_, again = module.explain(Store(results), record)
    asked = shlex.split(again.partition("python -m bench ")[2])
    assert asked[:2] == ["run", loaded.name]
    said = bench("run", suite_file, *asked[2:], "--dry-run")
    assert "0 to do" in said.out, said.out + said.err


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


@pytest.mark.parametrize(
    ("identity", "problem"), [("ab", "too short"), ("zzzzzz", "no record's id begins")]
)
def test_an_id_that_leads_nowhere_is_one_line(
    bench: Command, results: Path, identity: str, problem: str
) -> None:
    said = bench("explain", identity)
    assert said.code == 2
    assert problem in said.err
    assert said.err.count("\n") == 1
