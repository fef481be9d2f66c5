"""The course of every metric: a planted change is marked with its commit; the history as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import InputError
from bench.regress.history import load_all, revision_of, save
from bench.regress.micro import load_micro
from bench.report.regress.series import all_series
from bench.report.regress.trends import ABSENT, trends_page, write_trends
from bench.toml_file import ROOT
from tests.bench.regress.samples import report, revision

MICRO = """{"machine_info": {"cpu": {"brand_raw": "A processor", "count": 2, "hz_actual": %d}},
"commit_info": {"id": "%s", "dirty": false}, "datetime": "2026-01-0%dT00:00:00+00:00",
"benchmarks": [{"name": "test_gate", "stats": {"median": 0.001}}], "version": "5"}"""


def history(results: Path) -> None:
    rng = np.random.default_rng(0)
    for place in range(20):
        level = 1.0 if place < 12 else 1.2
        save(
            revision(
                f"{place:040x}"[::-1],
                place,
                relative=level * float(np.exp(rng.normal(0, 0.01))),
                macs=10_000 if place < 5 else 10_100,
            ),
            results,
        )


def test_changes_are_marked_with_the_commit_that_made_them(tmp_path: Path) -> None:
    history(tmp_path)
    revisions = load_all(tmp_path)
    assert [one.committed_at.day for one in revisions] == list(range(1, 21))
    found = {one.name: one for one in all_series(revisions)}
    assert found["MACs of net"].begins == [5]
    assert found["MACs of net"].change(5) == f"+1 % at {revisions[5].commit[:12]}"
    assert found["throughput of net"].begins == [12]
    assert found["parameters of net"].begins == found["AUC of net on data"].begins == []
    page, html = (path.read_text() for path in write_trends(tmp_path))
    for text in (page, html):
        assert f"+1 % at {revisions[5].commit[:12]}" in text
        assert f"at {revisions[12].commit[:12]}" in text
    assert html.count("<svg") == len(found)
    assert "http" not in html


def test_times_of_two_machines_are_two_series(tmp_path: Path) -> None:
    here, there = revision("a" * 40), revision("b" * 40, 1)
    other = there.machine.model_copy(update={"processor": "another"})
    both = [here, there.model_copy(update={"machine": other})]
    found = [one for one in all_series(both) if one.name == "throughput of net"]
    assert [len(one.values) for one in found] == [1, 1]


def test_micro_benchmarks_of_one_machine_are_one_series_whatever_its_clock(tmp_path: Path) -> None:
    folder = tmp_path / "history" / "micro"
    folder.mkdir(parents=True)
    for day, clock in ((1, 3000), (2, 3100)):
        (folder / f"{day}.json").write_text(MICRO % (clock, f"c{day}", day))
    micro = load_micro(tmp_path)
    (series,) = all_series([], micro)
    assert list(series.commits) == ["c1", "c2"]
    dirty = (MICRO % (3000, "c2", 3)).replace('"dirty": false', '"dirty": true')
    (folder / "3.json").write_text(dirty)
    (series,) = all_series([], load_micro(tmp_path))
    assert list(series.commits) == ["c1", "c2", "c2 with changes"]
    (folder / "3.json").write_text(MICRO.replace('"name": "test_gate"', '"nome": 1') % (1, "c", 3))
    with pytest.raises(InputError, match="not a JSON of pytest-benchmark"):
        load_micro(tmp_path)


def test_what_torch_decides_is_a_course_of_each_torch() -> None:
    first, second = revision("a" * 40), revision("b" * 40, 1)
    newer = second.machine.model_copy(update={"packages": {"torch": "3", "timm": "1.0.31"}})
    found = all_series([first, second.model_copy(update={"machine": newer})])
    names = [one.name for one in found if one.name.startswith(("operators", "MACs"))]
    assert names == [
        "MACs of net",
        "operators of net, torch 2.14.1, timm 1.0.31",
        "operators of net, torch 3, timm 1.0.31",
    ]
    assert [one.name for one in all_series([first])].count("operators of net") == 1


def test_the_micro_level_is_shown_where_no_revision_is_recorded(tmp_path: Path) -> None:
    folder = tmp_path / "history" / "micro"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(MICRO % (3000, "c1", 1))
    for path in write_trends(tmp_path):
        assert "test_gate" in path.read_text()


def test_only_a_commit_is_recorded_and_a_damaged_record_is_named(tmp_path: Path) -> None:
    made = report()
    changed = made.candidate.model_copy(update={"changed": True})
    with pytest.raises(InputError, match="is no commit"):
        revision_of(made.model_copy(update={"candidate": changed}), ROOT)
    save(revision("c" * 40), tmp_path)
    (tmp_path / "history" / "damaged.json").write_text("{}")
    with pytest.raises(InputError, match="damaged record"):
        load_all(tmp_path)


def test_an_empty_history_says_how_to_begin() -> None:
    assert trends_page([]) == ABSENT
