"""Findings from the cache are those of the predictions as they are now, to the last bit."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import InputError
from bench.records.schema import Record
from bench.records.store import Store
from bench.report import derived, processes
from bench.report.cache import without_cache
from bench.report.verdicts import findings
from bench.report.verdicts.findings import findings_of
from bench.report.verdicts.runs import RunFindings, look_at
from bench.report.verdicts.stored import read_run
from bench.specs import Task
from bench.suite import Suite, load_suite
from tests._helpers.predictions import MULTI
from tests._helpers.runs_of import keep_run

TASKS: dict[str, tuple[Task, int]] = {
    "breastmnist": ("binary-class", 2),
    "bloodmnist": ("multi-class", 3),
    "chestmnist": (MULTI, 4),
}


@pytest.fixture
def suite(suite_file: Path) -> Suite:
    text = suite_file.read_text().replace('["phantom-joint"]', str([*TASKS]))
    suite_file.write_text(text.partition("[dataset")[0] + text[text.index("[cost]") :])
    return load_suite(str(suite_file))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


@pytest.fixture
def records(suite: Suite, store: Store) -> list[Record]:
    return [
        keep_run(store, suite, "small", name, seed, task=task, classes=tuple("abcd"[:classes]))
        for name, (task, classes) in TASKS.items()
        for seed in (0, 1)
    ]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


def plain(found: RunFindings) -> Any:
    """Every value, arrays with their types."""

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: told(part) for name, part in value.items()}
        return (value.dtype, value.tolist()) if isinstance(value, np.ndarray) else value

    return told(dataclasses.asdict(found))


def direct(records: list[Record], store: Store) -> list[Any]:
    return [plain(look_at(read_run(record, store))) for record in records]


def never(*_: object) -> RunFindings:
    raise AssertionError("looked at again")


def test_the_same_bits_with_and_without_and_in_several_processes(
    records: list[Record], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = direct(records, store)
    with without_cache():
        monkeypatch.setattr(processes, "processors", lambda: 3)
        monkeypatch.setattr(derived, "_WORTH_A_PROCESS", 2)
        assert [plain(one) for one in findings_of(records, store)] == wanted
    monkeypatch.setattr(processes, "processors", lambda: 1)
    assert [plain(one) for one in findings_of(records, store)] == wanted
    monkeypatch.setattr(findings, "look_at", never)
    assert [plain(one) for one in findings_of(records[::-1], store)] == wanted[::-1]
    monkeypatch.setattr(findings, "findings_digest", lambda: "of other code")
    with pytest.raises(AssertionError, match="again"):
        findings_of(records, store)


def test_a_class_without_images_stays_a_blank(suite: Suite, store: Store) -> None:
    logits = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float16)
    labels = (np.arange(30) % 2).astype(np.uint8)
    record = keep_run(
        store,
        suite,
        "small",
        "bloodmnist",
        0,
        classes=("a", "b", "c"),
        task="multi-class",
        predicted=(logits, labels),
    )
    for _ in range(2):
        (found,) = findings_of([record], store)
        assert found.auc_parts.value is None
        assert [plain(found)] == direct([record], store)


def test_replaced_predictions_are_not_served_whatever_their_size_and_time(
    records: list[Record], store: Store
) -> None:
    findings_of(records, store)
    path = store.predictions_path(records[0].id)
    before = path.stat()
    arrays = store.load_predictions(records[0].id)
    turned = np.negative(arrays["test_logits"], dtype=np.float16)
    store.save_predictions(records[0].id, arrays | {"test_logits": turned})
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(max(0, before.st_size - size)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = findings_of(records, store)
    assert [plain(one) for one in found] == direct(records, store)


def test_other_code_finds_nothing(
    records: list[Record], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings_of(records, store)
    monkeypatch.setattr(findings, "findings_digest", lambda: "other")
    monkeypatch.setattr(findings, "look_at", never)
    with pytest.raises(AssertionError, match="again"):
        findings_of(records, store)


@pytest.mark.parametrize("count", [1, 3])
def test_what_cannot_be_read_is_named(
    records: list[Record], store: Store, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(processes, "processors", lambda: count)
    monkeypatch.setattr(derived, "_WORTH_A_PROCESS", 1)
    path = store.predictions_path(records[3].id)
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match="cannot be read") as broken:
        findings_of(records, store)
    assert broken.value.file == str(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        findings_of(records, store)
