"""The trial's plan, its record, and that each of its limits can be missed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.errors import InputError
from bench.provenance import processor
from bench.regress import trial_record
from bench.regress.faults import FAULTS
from bench.regress.trial import _begun, missing
from bench.regress.trial_file import TRIAL, TrialFile
from bench.regress.trial_record import (
    NAME,
    NOTHING,
    WHOLE,
    Replayed,
    TrialRecord,
    Try,
    load,
    regress_digest,
    save,
    try_digest,
)
from bench.report.regress.trial_page import ABSENT, passed, trial_page
from bench.run.recording import Clock, made_now
from bench.toml_file import ROOT, read_toml
from tests.bench.regress.test_gate import FILE

SPEC = read_toml(TRIAL, TrialFile)
LABEL = SPEC.timed_row
DIGESTS = {name: try_digest(name) for name in (*(f.name for f in FAULTS), NOTHING, WHOLE)}


def made(planted: str, *, right: bool = True, wall_s: float = 100.0) -> Try:
    quiet = planted in (NOTHING, WHOLE)
    code = int(right is not quiet)
    return Try(
        planted=planted,
        digest=DIGESTS[planted],
        exit_code=code,
        right=right,
        found=[],
        undecided=[],
        wall_s=wall_s,
    )


def whole(**wrong: Any) -> TrialRecord:
    """A trial in which all went well, but for ``wrong``."""
    tries = [
        made(name, right=not (wrong.get("fault") == name and number < wrong.get("times", 1)))
        for name in (*(fault.name for fault in FAULTS), NOTHING)
        for number in range(20)
    ]
    tries += [made(WHOLE, wall_s=wrong.get("wall_s", 100.0)) for _ in range(2)]
    counts = {0.05: 290, 0.1: 300, 0.0: 3} | wrong.get("replays", {})
    replayed = [
        Replayed(label=LABEL, share=share, replays=300, regressions=count, undecided=0)
        for share, count in counts.items()
    ]
    provenance = made_now(regress_digest(), processor(), 1, Clock())
    return TrialRecord(spec=SPEC, provenance=provenance, tries=tries, replayed=replayed)


def test_a_trial_that_went_well_passes_and_goes_on_nowhere() -> None:
    record = whole()
    assert passed(record)
    assert not list(missing(record, timed=True))
    assert "missed" not in trial_page(record)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fault": "a frozen gate"},
        {"fault": "10 % more memory"},
        {"fault": "throughput 5 % slower", "times": 3},
        {"fault": "throughput 10 % slower"},
        {"fault": NOTHING},
        {"wall_s": 601.0},
        {"replays": {0.05: 269}},
        {"replays": {0.1: 298}},
        {"replays": {0.0: 7}},
    ],
)
def test_each_limit_can_be_missed(wrong: dict[str, Any]) -> None:
    assert not passed(whole(**wrong))


def test_one_of_ten_may_be_missed_where_that_is_the_limit() -> None:
    assert passed(whole(fault="throughput 5 % slower", times=2))


def test_a_trial_goes_on_where_it_stopped(tmp_path: Path) -> None:
    record = _begun(SPEC, FILE, tmp_path)
    todo = [asked.planted for asked in missing(record, timed=True)]
    counts = Counter(todo)
    assert counts["a frozen gate"] == SPEC.tries
    assert counts["throughput 5 % slower"] == counts["10 % more memory"] == SPEC.timed_tries
    assert counts[NOTHING] == SPEC.nothing_tries
    assert len(set(todo[: len(counts)])) == len(counts)  # one of each before a second of any
    untimed = {asked.planted for asked in missing(record, timed=False)}
    assert untimed == {f.name for f in FAULTS if not f.timed and f.found_by != "memory"}
    save(record.model_copy(update={"tries": [made("a frozen gate")]}), tmp_path)
    again = _begun(SPEC, FILE, tmp_path)
    left = Counter(asked.planted for asked in missing(again, timed=True))
    assert left["a frozen gate"] == SPEC.tries - 1


def test_tries_of_other_code_are_made_anew_and_no_others(tmp_path: Path) -> None:
    record = whole()
    first, *others = record.tries
    old = first.model_copy(update={"digest": "0" * 16})
    save(record.model_copy(update={"tries": [old, *others]}), tmp_path)
    assert _begun(SPEC, FILE, tmp_path).tries == others
    stale = load(tmp_path)
    assert stale is not None
    assert "**Stale**" in trial_page(stale)
    save(record, tmp_path)
    assert "Stale" not in trial_page(record)
    assert not _begun(SPEC.model_copy(update={"tries": 4}), FILE, tmp_path).tries


def test_what_times_decides_the_tries_with_noise_and_all_of_the_gate_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noisy = {f.name for f in FAULTS if f.noisy} | {NOTHING}

    def changed(sources: str, name: str) -> str:
        monkeypatch.setattr(trial_record, sources, getattr(trial_record, sources)[:-1])
        return try_digest(name)

    assert changed("TIMING", NOTHING) != DIGESTS[NOTHING]
    assert changed("SOURCES", "a frozen gate") != DIGESTS["a frozen gate"]
    assert len(set(DIGESTS.values())) == len(DIGESTS)  # each fault's own text counts
    others = {"bench/regress/findings.py", "bench/regress/probes/checks.py"}
    assert not others & set(trial_record.TIMING)
    assert all((ROOT / place).exists() for place in trial_record.TIMING)
    assert noisy == {n for n in DIGESTS if n.startswith(("throughput", "10 %")) or n == NOTHING}


def test_no_record_and_a_damaged_one(tmp_path: Path) -> None:
    assert trial_page(load(tmp_path)) == ABSENT
    (tmp_path / NAME).write_text("{}")
    with pytest.raises(InputError, match="damaged record"):
        load(tmp_path)
    record = whole().model_copy(update={"tries": [], "replayed": []})
    assert "not tried" in trial_page(record)
    assert not passed(record)
