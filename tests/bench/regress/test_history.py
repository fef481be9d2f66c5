"""Records of revisions: what they are of, and what a later record of the same commit leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.regress.file import GATE, GateFile
from bench.regress.history import Revision, comparable, load_all, save
from bench.regress.settings import settings_of
from bench.toml_file import read_toml
from tests.bench.regress.samples import MACHINE, NUMBERS, revision

FILE = read_toml(GATE, GateFile)
LABEL = "net on data"
SETTINGS = {"exact": "e", LABEL: "a", "run time": "r", "processes": "p"}


def recorded(**changes: Any) -> Revision:
    return revision("a" * 40).model_copy(update={"settings": SETTINGS} | changes)


def test_nothing_is_held_against_a_record_of_other_settings() -> None:
    whole = recorded()
    assert comparable(whole, SETTINGS) == whole
    for name, emptied in (
        ("exact", {"exact"}),
        (LABEL, {"auc"}),
        ("run time", {"relative", "seconds"}),
        ("processes", {"processes"}),
    ):
        found = comparable(whole, SETTINGS | {name: "other"})
        parts = ("exact", "auc", "relative", "seconds", "processes")
        assert {part for part in parts if not getattr(found, part)} == emptied
    assert not comparable(revision("a" * 40), SETTINGS).exact  # it does not say what it is of


@pytest.mark.parametrize(
    ("part", "change", "name"),
    [
        ("exact", {"image_size": 32}, "exact"),
        ("run_time", {"num_classes": 2}, "run time"),
        ("processes", {"batch_size": 1}, "processes"),
    ],
)
def test_settings_tell_what_decides_numbers_from_what_decides_verdicts(
    part: str, change: dict[str, Any], name: str
) -> None:
    before = settings_of(FILE)
    section = getattr(FILE, part)
    after = settings_of(FILE.model_copy(update={part: section.model_copy(update=change)}))
    assert {key for key in before if before[key] != after[key]} == {name}
    assert FILE.run_time is not None
    more = FILE.run_time.model_copy(update={"level": 0.95, "most_blocks": 20})
    assert settings_of(FILE.model_copy(update={"run_time": more})) == before
    assert settings_of(FILE.model_copy(update={"threads": 2})).items().isdisjoint(before.items())


def test_parts_recorded_one_by_one_are_one_record(tmp_path: Path) -> None:
    alone: dict[str, Any] = {"relative": {}, "seconds": {}, "processes": {}, "auc": {}}
    save(recorded(**alone, settings={"exact": "e"}), tmp_path)
    later: dict[str, Any] = {"exact": {}, "processes": {}, "auc": {}}
    save(recorded(**later, settings={"run time": "r"}), tmp_path)
    (found,) = load_all(tmp_path)
    assert found.exact == {"net": NUMBERS}
    assert found.relative == {"throughput of net": 1.0}
    assert found.settings == {"exact": "e", "run time": "r"}
    save(recorded(**later, settings={"run time": "r", "exact": "other"}), tmp_path)
    assert not load_all(tmp_path)[0].exact  # of other settings: not to be mixed
    another = MACHINE.model_copy(update={"processor": "another"})
    save(recorded(machine=another, relative={}), tmp_path)
    assert not load_all(tmp_path)[0].relative
